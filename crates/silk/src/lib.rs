//! Decodes the voice messages of WeChat: SILK v3 to PCM.
