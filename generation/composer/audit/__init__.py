"""What a session's music is, for those who must answer for it: MIDI, cue sheet, piano roll, form."""
