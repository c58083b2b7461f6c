//! Archives made by hand, as honest tools would not make them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A tar archive, member by member.
#[derive(Default)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        self.member(name, b'0', 0o644, "", content)
    }

    pub(crate) fn mode(self, name: &str, mode: u32) -> Self {
        self.member(name, b'0', mode, "", b"x")
    }

    pub(crate) fn folder(self, name: &str) -> Self {
        self.member(name, b'5', 0o755, "", b"")
    }

    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        self.member(name, b'2', 0o777, target, b"")
    }

    /// A member of any kind, as its header says.
    pub(crate) fn member(
        mut self,
        name: &str,
        kind: u8,
        mode: u32,
        target: &str,
        content: &[u8],
    ) -> Self {
        let mut header = [0; 512];
        let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
        put(0, name.as_bytes());
        put(100, format!("{mode:07o}").as_bytes());
        put(124, format!("{:011o}", content.len()).as_bytes());
        put(148, b"        ");
        put(156, &[kind]);
        put(157, target.as_bytes());
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.0.extend(header);
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn bytes(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }

    pub(crate) fn gzipped(self) -> Vec<u8> {
        gzip(&self.bytes())
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip archive of stored files, member by member.
#[derive(Default)]
pub(crate) struct Zip {
    body: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Zip {
    pub(crate) fn file(self, name: &str, mode: u32, content: &[u8]) -> Self {
        let size = u32::try_from(content.len()).unwrap();
        self.member(name, mode, 0, content, size, crc(content))
    }

    pub(crate) fn deflated(self, name: &str, content: &[u8]) -> Self {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        let size = u32::try_from(content.len()).unwrap();
        self.member(name, 0o100_644, 8, &encoder.finish().unwrap(), size, crc(content))
    }

    pub(crate) fn member(
        mut self,
        name: &str,
        mode: u32,
        method: u16,
        packed: &[u8],
        size: u32,
        crc: u32,
    ) -> Self {
        let at = u32::try_from(self.body.len()).unwrap();
        let packed_len = u32::try_from(packed.len()).unwrap();
        let name_len = u16::try_from(name.len()).unwrap();
        let mut facts = Vec::new();
        facts.extend(0_u16.to_le_bytes());
        facts.extend(method.to_le_bytes());
        facts.extend(0_u32.to_le_bytes());
        facts.extend([crc, packed_len, size].iter().flat_map(|n| n.to_le_bytes()));
        facts.extend(name_len.to_le_bytes());
        self.body.extend(b"PK\x03\x04\x14\x00");
        self.body.extend(&facts);
        self.body.extend(0_u16.to_le_bytes());
        self.body.extend(name.as_bytes());
        self.body.extend(packed);
        // Made by Unix.
        self.directory.extend(b"PK\x01\x02\x14\x03\x14\x00");
        self.directory.extend(&facts);
        self.directory.extend([0; 8]);
        self.directory.extend((mode << 16).to_le_bytes());
        self.directory.extend(at.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.count += 1;
        self
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let at = u32::try_from(self.body.len()).unwrap();
        let len = u32::try_from(self.directory.len()).unwrap();
        let mut bytes = self.body;
        bytes.extend(self.directory);
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend([self.count, self.count].iter().flat_map(|n| n.to_le_bytes()));
        bytes.extend([len, at].iter().flat_map(|n| n.to_le_bytes()));
        bytes.extend(0_u16.to_le_bytes());
        bytes
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
