//! The protobuf wire format: tags, varints, lengths.

/// How a value is laid out on the wire.
pub(crate) const VARINT: u8 = 0;
pub(crate) const FIXED64: u8 = 1;
pub(crate) const LENGTH: u8 = 2;
pub(crate) const GROUP_START: u8 = 3;
pub(crate) const GROUP_END: u8 = 4;
pub(crate) const FIXED32: u8 = 5;

/// How deep messages may nest in data from a service.
pub(crate) const MAX_DEPTH: usize = 100;

/// Data that is not a message of its descriptor. The text is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

/// Appends a varint.
#[inline]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends the tag of a field.
#[inline]
pub(crate) fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: u8) {
    put_varint(out, u64::from(number) << 3 | u64::from(wire_type));
}

/// Appends bytes behind their length.
#[inline]
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Leaves room for a length; to be given to [`end_length`] once the content is written.
#[inline]
pub(crate) fn begin_length(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Writes the length of what was appended since [`begin_length`].
#[inline]
pub(crate) fn end_length(out: &mut Vec<u8>, start: usize) {
    let length = out.len() - start;
    if length < 0x80 {
        out[start - 1] = length as u8;
        return;
    }
    let mut prefix = [0_u8; 10];
    let mut used = 0;
    let mut rest = length;
    while rest >= 0x80 {
        prefix[used] = rest as u8 | 0x80;
        used += 1;
        rest >>= 7;
    }
    prefix[used] = rest as u8;
    out.splice(start - 1..start, prefix[..=used].iter().copied());
}

/// Reads fields one after another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A value as it lies on the wire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Raw<'a> {
    /// A varint or a fixed number.
    Number(u64),
    /// Bytes of a length, or of a group without its tags.
    Bytes(&'a [u8]),
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn at_offset(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Invalid> {
        match self.bytes.get(self.at) {
            Some(byte) if *byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Invalid> {
        let mut value = 0_u64;
        for shift in 0..10_u32 {
            let byte = *self.bytes.get(self.at).ok_or(Invalid("a varint is cut off"))?;
            self.at += 1;
            if shift == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * shift);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Invalid("a varint is too long"))
    }

    /// The next field's number and wire type.
    #[inline]
    pub(crate) fn tag(&mut self) -> Result<(u32, u8), Invalid> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| Invalid("a field number is too large"))?;
        if number == 0 || number > 0x1fff_ffff {
            return Err(Invalid("a field number is out of range"));
        }
        Ok((number, (tag & 7) as u8))
    }

    /// The value behind a tag.
    #[inline]
    pub(crate) fn value(&mut self, number: u32, wire_type: u8) -> Result<Raw<'a>, Invalid> {
        match wire_type {
            VARINT => self.varint().map(Raw::Number),
            LENGTH => {
                let length = usize::try_from(self.varint()?).map_err(|_| Invalid("a length is too large"))?;
                self.take(length).map(Raw::Bytes)
            }
            FIXED64 => self.fixed64().map(Raw::Number),
            FIXED32 => self.fixed32().map(Raw::Number),
            GROUP_START => self.group(number, 0).map(Raw::Bytes),
            _ => Err(Invalid("a wire type is unknown")),
        }
    }

    #[inline]
    pub(crate) fn fixed64(&mut self) -> Result<u64, Invalid> {
        let bytes = self.take(8)?.try_into().map_err(|_| Invalid("a number is cut off"))?;
        Ok(u64::from_le_bytes(bytes))
    }

    #[inline]
    pub(crate) fn fixed32(&mut self) -> Result<u64, Invalid> {
        let bytes = self.take(4)?.try_into().map_err(|_| Invalid("a number is cut off"))?;
        Ok(u64::from(u32::from_le_bytes(bytes)))
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Invalid> {
        let end = self.at.checked_add(length).ok_or(Invalid("a length is too large"))?;
        let taken = self.bytes.get(self.at..end).ok_or(Invalid("a value is cut off"))?;
        self.at = end;
        Ok(taken)
    }

    /// The content of a group up to its end tag.
    fn group(&mut self, number: u32, depth: usize) -> Result<&'a [u8], Invalid> {
        if depth > MAX_DEPTH {
            return Err(Invalid("groups nest too deep"));
        }
        let start = self.at;
        loop {
            let before = self.at;
            let (inner, wire_type) = self.tag()?;
            match wire_type {
                GROUP_END if inner == number => {
                    return self.bytes.get(start..before).ok_or(Invalid("a group is cut off"));
                }
                GROUP_END => return Err(Invalid("a group ends that did not begin")),
                GROUP_START => {
                    self.group(inner, depth + 1)?;
                }
                _ => {
                    self.value(inner, wire_type)?;
                }
            }
        }
    }
}
