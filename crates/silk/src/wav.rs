//! WAV files: the form in which other programs take PCM.

/// Bytes of a sample.
const SAMPLE: u32 = 2;
/// Bytes of the header that its own length field counts.
const COUNTED: u32 = 36;

/// Makes a file of samples of one channel.
///
/// Players get as much of it as 32 bits can count.
pub(crate) fn encode(pcm: &[i16], hz: u32) -> Vec<u8> {
    let samples: u32 = pcm.len().try_into().unwrap_or(u32::MAX);
    let length = samples.saturating_mul(SAMPLE).min(u32::MAX - COUNTED - 1);
    let mut file = Vec::with_capacity(44 + pcm.len() * SAMPLE as usize);
    file.extend(b"RIFF");
    file.extend((COUNTED + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes()); // PCM
    file.extend(1_u16.to_le_bytes()); // channels
    file.extend(hz.to_le_bytes());
    file.extend((hz * SAMPLE).to_le_bytes());
    file.extend(2_u16.to_le_bytes()); // bytes of a sample in all channels
    file.extend(16_u16.to_le_bytes()); // bits of a sample
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(pcm.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_44_bytes_and_its_samples() {
        let file = encode(&[1, -2], 16_000);
        let expected = b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\
            \x02\0\x10\0data\x04\0\0\0\x01\0\xfe\xff";
        assert_eq!(file, expected);
    }
}
