//! The range decoder: symbols out of bytes.

/// Reads symbols whose frequencies are known.
///
/// Bytes behind the end count as zero. After damage every symbol is zero and
/// [`damaged`](Self::damaged) stays true.
pub(crate) struct RangeDecoder<'a> {
    bytes: &'a [u8],
    // Counts what was taken after the first four bytes, up to the length of all.
    taken: usize,
    base: u32,
    // From 1 to 0xffff; base < range << 16 unless the packet is damaged.
    range: u32,
    damaged: bool,
}

impl<'a> RangeDecoder<'a> {
    /// Starts at the first byte.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let byte = |at| bytes.get(at).copied().unwrap_or_default();
        let base = u32::from_be_bytes([byte(0), byte(1), byte(2), byte(3)]);
        Self { bytes, taken: 0, base, range: 0xffff, damaged: false }
    }

    /// Reads a symbol, an index into the gaps of the cumulative frequencies.
    ///
    /// These rise from 0 to 65535.
    pub(crate) fn symbol(&mut self, cdf: &[u16]) -> usize {
        let (range, base) = (self.range, self.base);
        let above = cdf.partition_point(|&edge| u32::from(edge) * range <= base);
        if self.damaged || above == cdf.len() {
            self.damaged = true;
            return 0;
        }
        let (low, high) = (u32::from(cdf[above - 1]), u32::from(cdf[above]));
        self.base -= range * low;
        let width = range * (high - low);
        match width {
            0x0100_0000.. => self.range = width >> 16,
            0x0001_0000.. => {
                self.range = width >> 8;
                self.shift_in();
            }
            _ => {
                self.range = width;
                self.shift_in();
                self.shift_in();
            }
        }
        above - 1
    }

    /// Says that the symbols make no sense.
    pub(crate) fn damage(&mut self) {
        self.damaged = true;
    }

    /// Tells whether the bytes cannot come from an encoder.
    pub(crate) fn damaged(&self) -> bool {
        self.damaged
    }

    /// Returns how many bytes follow those of the symbols read so far.
    ///
    /// Symbols that need more bytes than there are, or a last byte whose unused
    /// bits are not all ones, are damage.
    pub(crate) fn left(&mut self) -> usize {
        let bits = 8 * self.taken + (self.range - 1).leading_zeros() as usize - 14;
        let used = bits.div_ceil(8);
        let padding = 0xff_u8 >> (bits & 7);
        let padded = match self.bytes.get(used - 1) {
            None => false,
            Some(last) if used == self.bytes.len() && bits & 7 != 0 => last & padding == padding,
            Some(_) => true,
        };
        self.damaged |= !padded;
        self.bytes.len().saturating_sub(used)
    }

    fn shift_in(&mut self) {
        self.base <<= 8;
        if self.taken < self.bytes.len() {
            self.base |= u32::from(self.bytes.get(4 + self.taken).copied().unwrap_or_default());
            self.taken += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_frequencies_spell_the_bits() {
        let cdf = [0, 16384, 32768, 49152, 65535];
        let mut range = RangeDecoder::new(&[0b0001_1011, 0, 0, 0, 0, 0, 0, 0]);
        let symbols: Vec<_> = (0..4).map(|_| range.symbol(&cdf)).collect();
        assert_eq!(symbols, [0, 1, 2, 3]);
        assert!(!range.damaged());
    }

    #[test]
    fn a_base_above_the_range_is_damage_and_zeros_follow() {
        let mut range = RangeDecoder::new(&[0xff; 8]);
        assert_eq!((range.symbol(&[0, 9, 65535]), range.damaged()), (0, true));
        assert_eq!(range.symbol(&[0, 9, 65535]), 0);
    }

    #[test]
    fn an_empty_packet_lacks_bytes() {
        let mut range = RangeDecoder::new(&[]);
        assert_eq!(range.symbol(&[0, 32768, 65535]), 0);
        assert_eq!((range.left(), range.damaged()), (0, true));
    }
}
