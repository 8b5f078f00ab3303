"""A codec without a network: spectra reduced to a few numbers, quantised in steps, and a fixed synthesis.

It is fitted in a minute on a CPU (`generation/training/codec_fit`) and keeps the signatures of transformers'
`EncodecModel`, so that a MusicGen of any size can be trained on it from nothing. It keeps less of the sound
than EnCodec does.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from transformers import AutoConfig, AutoModel, PreTrainedConfig
from transformers.modeling_utils import PreTrainedAudioTokenizerBase
from transformers.models.encodec.modeling_encodec import EncodecDecoderOutput, EncodecEncoderOutput

from generation.musicgen.codec.phases import sound_of_magnitudes
from generation.musicgen.codec.spectra import Spectra

MODEL_TYPE = "isopath_spectral"

SILENCE = 0
"""The first codebook's entry for a frame without any sound, whatever the other codebooks say."""

_INAUDIBLE = 2.0**-16
"""A spectrum without a larger magnitude is silence: half the smallest step of 16-bit sound."""


class SpectralCodecConfig(PreTrainedConfig):
    """The sizes of a `SpectralCodec`.

    Args:
        sampling_rate: in Hz.
        audio_channels: 1.
        upsampling_ratios: their product is the hop, as in transformers' `EncodecConfig`.
        codebook_size: entries of each codebook.
        num_quantizers: codebooks.
        spectra_per_frame: evenly spaced under one frame's tokens; a divisor of the hop. Two let a frame be
            twice as long, so that a decoder learns from half as many positions, and attacks stay sharp.
        n_fft: samples under a spectrum's window.
        n_components: numbers to which a frame's spectra are reduced together.
        knee: magnitude below which the scale of magnitudes is linear, above which it is logarithmic.
        smoothing: share of each neighbouring spectrum in a decoded one, 0 to 1 / 3: tokens of music that
            holds still do not, and what moves from frame to frame is heard as excitement.
        n_iterations: of the synthesis.
    """

    model_type = MODEL_TYPE

    sampling_rate: int = 32_000
    audio_channels: int = 1
    upsampling_ratios: list[int] | tuple[int, ...] = (640,)
    codebook_size: int = 1024
    num_quantizers: int = 4
    spectra_per_frame: int = 1
    n_fft: int = 2048
    n_components: int = 128
    knee: float = 1e-3
    smoothing: float = 0.25
    n_iterations: int = 16

    @property
    def hop_length(self) -> int:
        """Samples a frame."""
        return math.prod(self.upsampling_ratios)

    @property
    def frame_rate(self) -> int:
        """Frames a second, rounded up as `EncodecConfig` does."""
        return math.ceil(self.sampling_rate / self.hop_length)

    @property
    def n_bins(self) -> int:
        """Magnitudes a spectrum."""
        return self.n_fft // 2 + 1

    @property
    def spectrum_hop(self) -> int:
        """Samples from one spectrum to the next."""
        return self.hop_length // self.spectra_per_frame

    @property
    def target_bandwidths(self) -> list[float]:
        """The one rate of tokens, in kbit/s."""
        return [self.num_quantizers * self.frame_rate * math.log2(self.codebook_size) / 1000.0]


class SpectralCodec(PreTrainedAudioTokenizerBase):
    """Sound as tokens and back.

    The magnitudes of a frame's spectra are compressed as a logarithm above the `knee`, weighted so that every
    critical band counts alike, and reduced to `n_components` (a principal component analysis); each codebook
    then holds what the ones before it left over. Decoding adds the entries, smooths over neighbouring
    spectra, undoes the steps, and finds phases.

    Sources: residual vector quantisation, Juang & Gray (1982), ICASSP 7, 597-600; the width of critical
    bands, Glasberg & Moore (1990), Hearing Research 47, 103-138, equation 3.
    """

    config_class = SpectralCodecConfig
    base_model_prefix = "spectral_codec"
    main_input_name = "input_values"
    config: SpectralCodecConfig

    mean: Tensor
    components: Tensor
    gains: Tensor

    def __init__(self, config: SpectralCodecConfig) -> None:
        super().__init__(config)
        n_entries, width = config.codebook_size, config.n_components
        n_features = config.spectra_per_frame * config.n_bins
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("components", torch.zeros(n_features, width))
        self.register_buffer("gains", torch.ones(config.n_bins))
        # Not a buffer: transformers reads a model's dtype and device off its first parameter.
        codebooks = torch.zeros(config.num_quantizers, n_entries, width)
        self.codebooks = nn.Parameter(codebooks, requires_grad=False)
        PreTrainedAudioTokenizerBase.post_init(self)

    @torch.no_grad()
    def encode(
        self,
        input_values: Tensor,
        padding_mask: Tensor | None = None,
        bandwidth: float | None = None,
        return_dict: bool | None = None,
    ) -> tuple[Tensor, list[None]] | EncodecEncoderOutput:
        """Sound to tokens, as `EncodecModel.encode`.

        Args:
            input_values: float32, shape [batch, 1, n_samples].
            padding_mask: where it is 0 the sound is taken as silence.
            bandwidth: there is one only.

        Returns:
            tokens, int64, shape [1, batch, num_quantizers, ceil(n_samples / hop)]; no scales.
        """
        masked = input_values if padding_mask is None else input_values * padding_mask.view_as(input_values)
        codes = torch.stack([self._codes(self.spectra().of(sound[0])) for sound in masked])[None]
        scales: list[None] = [None]
        is_dict = self.config.return_dict if return_dict is None else return_dict
        # Its annotations are narrower than what MusicGen gives and takes.
        output: Callable[..., EncodecEncoderOutput] = EncodecEncoderOutput
        return output(codes, scales) if is_dict else (codes, scales)

    @torch.no_grad()
    def decode(
        self,
        audio_codes: Tensor,
        audio_scales: list[None] | None = None,
        padding_mask: Tensor | None = None,
        return_dict: bool | None = None,
    ) -> tuple[Tensor] | EncodecDecoderOutput:
        """Tokens to sound, as `EncodecModel.decode`: each sound by itself, whatever its neighbours.

        Args:
            audio_codes: int64, shape [1, batch, num_quantizers, n_frames].
            audio_scales: there are none.
            padding_mask: the sound is cut to its length.

        Returns:
            float32, shape [batch, 1, n_frames x hop].
        """
        sounds = torch.stack([self._sound(codes)[None] for codes in audio_codes[0]])
        values = sounds if padding_mask is None else sounds[..., : padding_mask.shape[-1]]
        is_dict = self.config.return_dict if return_dict is None else return_dict
        return EncodecDecoderOutput(values) if is_dict else (values,)

    def forward(self, input_values: Tensor, padding_mask: Tensor | None = None) -> EncodecDecoderOutput:
        """Sound to tokens and back: what the codec keeps of a sound."""
        codes: Tensor = self.encode(input_values, padding_mask)[0]
        return EncodecDecoderOutput(self.decode(codes, padding_mask=padding_mask)[0])

    def spectra(self) -> Spectra:
        """The transform between sound and spectra."""
        return Spectra(self.config.spectrum_hop, self.config.n_fft, self.mean.device)

    def features(self, magnitudes: Tensor) -> Tensor:
        """Magnitudes, compressed and weighted: what distances are measured in.

        Args:
            magnitudes: shape [n_frames, spectra_per_frame, n_bins].

        Returns:
            Shape [n_frames, spectra_per_frame x n_bins].
        """
        return (torch.log1p(magnitudes / self.config.knee) * self._weights()).flatten(1)

    def magnitudes(self, codes: Tensor) -> Tensor:
        """The magnitudes that tokens stand for.

        Args:
            codes: int64, shape [num_quantizers, n_frames].

        Returns:
            float32, shape [n_frames x spectra_per_frame, n_bins]; 0 where the first token is `SILENCE`.
        """
        config = self.config
        reduced = sum(book[row] for book, row in zip(self.codebooks, codes, strict=True))
        together = self.mean + reduced @ self.components.T
        features = together.unflatten(1, (config.spectra_per_frame, config.n_bins)).flatten(0, 1)
        is_sound = (codes[0] != SILENCE).repeat_interleave(config.spectra_per_frame)
        sounds = is_sound.to(features.dtype)[:, None]
        heard = self._smoothed(features * sounds) / self._smoothed(sounds).clamp_min(1e-6)
        return config.knee * torch.expm1((heard / self._weights()).clamp_min(0.0)) * self.gains * sounds

    def _codes(self, spectra: Tensor) -> Tensor:
        n_together = self.config.spectra_per_frame
        # A frame that the sound ends in is filled up with silence.
        filled = pad(spectra.abs(), (0, 0, 0, -len(spectra) % n_together))
        magnitudes = filled.unflatten(0, (-1, n_together))
        residual = (self.features(magnitudes) - self.mean) @ self.components
        rows = []
        for number, book in enumerate(self.codebooks):
            distances = (book**2).sum(1) - 2.0 * residual @ book.T
            if number == 0:
                distances[:, SILENCE] = math.inf
            rows.append(distances.argmin(1))
            residual = residual - book[rows[-1]]
        is_silent = magnitudes.amax((1, 2)) < _INAUDIBLE
        return torch.stack(rows).masked_fill(is_silent, SILENCE)

    def _sound(self, codes: Tensor) -> Tensor:
        config = self.config
        return sound_of_magnitudes(
            self.magnitudes(codes), self.spectra(), config.spectrum_hop, config.n_iterations
        )

    def _smoothed(self, series: Tensor) -> Tensor:
        """Each row with its neighbours' shares, shape [n_frames, n_values]."""
        share = self.config.smoothing
        around = pad(series, (0, 0, 1, 1))
        return (1.0 - 2.0 * share) * series + share * (around[:-2] + around[2:])

    def _weights(self) -> Tensor:
        """The root of how many critical bands a bin is wide, relative to the lowest."""
        config = self.config
        hertz = torch.linspace(0.0, config.sampling_rate / 2.0, config.n_bins, device=self.mean.device)
        return (1.0 + 0.00437 * hertz).rsqrt()


AutoConfig.register(MODEL_TYPE, SpectralCodecConfig, exist_ok=True)
AutoModel.register(SpectralCodecConfig, SpectralCodec, exist_ok=True)
