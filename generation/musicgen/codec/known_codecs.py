"""The codecs a MusicGen may have: the one place where a codec is built from its configuration."""

from __future__ import annotations

from transformers import EncodecConfig, EncodecModel

from generation.musicgen.codec.spectral_codec import SpectralCodec, SpectralCodecConfig

CodecConfig = EncodecConfig | SpectralCodecConfig
Codec = EncodecModel | SpectralCodec


def codec_of(config: CodecConfig) -> Codec:
    """A new codec of that configuration, its weights not yet set."""
    return SpectralCodec(config) if isinstance(config, SpectralCodecConfig) else EncodecModel(config)
