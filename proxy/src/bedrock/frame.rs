//! The frames of `application/vnd.amazon.eventstream`.
//!
//! Source: the format as documented for AWS event streams: a prelude of total length, header length and CRC-32 of both, headers,
//! payload, and a CRC-32 of all of it. Decoded here and not by the SDK since this runs for every token: the SDK's decoder costs
//! three times the instructions (`docs/benchmarks.md`).

use std::ops::Range;

/// The longest frame that is taken. Bedrock's text frames have some hundred bytes; tool inputs come in pieces.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;

const PRELUDE_BYTES: usize = 12;
const CRC_BYTES: usize = 4;

/// Bytes that are no event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A checksum does not match: bytes were changed or lost on the way.
    #[error("a frame of the event stream has a wrong checksum")]
    Checksum,
    /// The lengths make no sense or are over [`MAX_FRAME_BYTES`].
    #[error("a frame of the event stream has an impossible length of {0} bytes")]
    Length(usize),
    /// A header cannot be read.
    #[error("a frame of the event stream has a broken header")]
    Header,
}

/// What a frame says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind<'a> {
    /// `:message-type: event`, with its `:event-type`.
    Event(&'a str),
    /// `:message-type: exception`, with its `:exception-type`.
    Exception(&'a str),
    /// `:message-type: error`, with its `:error-code`.
    Error(&'a str),
}

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: FrameKind<'a>,
    /// Its JSON.
    pub payload: &'a [u8],
}

/// Cuts a byte stream into frames, wherever it was cut before.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    taken: usize,
}

impl FrameDecoder {
    /// Adds bytes as they came. At most [`MAX_FRAME_BYTES`] are kept beyond what was just pushed.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether bytes are left that are no whole frame yet.
    pub fn has_rest(&self) -> bool {
        self.taken < self.buffer.len()
    }

    /// The next whole frame, if there is one.
    ///
    /// # Errors
    /// [`FrameError`]; what follows in the stream cannot be trusted.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let rest = &self.buffer[self.taken..];
        let Some(prelude) = rest.get(..PRELUDE_BYTES) else { return Ok(None) };
        let total = be_u32(prelude, 0) as usize;
        let headers = be_u32(prelude, 4) as usize;
        if crc32fast::hash(&prelude[..8]) != be_u32(prelude, 8) {
            return Err(FrameError::Checksum);
        }
        let payload_start = PRELUDE_BYTES + headers;
        if total > MAX_FRAME_BYTES || total < payload_start + CRC_BYTES {
            return Err(FrameError::Length(total));
        }
        if rest.len() < total {
            return Ok(None);
        }
        let range: Range<usize> = self.taken..self.taken + total;
        self.taken += total;
        let frame = &self.buffer[range];
        let body_end = total - CRC_BYTES;
        if crc32fast::hash(&frame[..body_end]) != be_u32(frame, body_end) {
            return Err(FrameError::Checksum);
        }
        let kind = kind(&frame[PRELUDE_BYTES..payload_start])?;
        Ok(Some(Frame { kind, payload: &frame[payload_start..body_end] }))
    }
}

fn be_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn kind(mut headers: &[u8]) -> Result<FrameKind<'_>, FrameError> {
    let (mut message_type, mut event, mut exception, mut code) = ("event", "", "", "");
    while !headers.is_empty() {
        let name_len = usize::from(take(&mut headers, 1)?[0]);
        let name = take(&mut headers, name_len)?;
        let value_type = take(&mut headers, 1)?[0];
        let value_len = match value_type {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            9 => 16,
            6 | 7 => {
                let len = take(&mut headers, 2)?;
                usize::from(u16::from_be_bytes([len[0], len[1]]))
            }
            _ => return Err(FrameError::Header),
        };
        let value = take(&mut headers, value_len)?;
        let slot = match name {
            b":message-type" => &mut message_type,
            b":event-type" => &mut event,
            b":exception-type" => &mut exception,
            b":error-code" => &mut code,
            _ => continue,
        };
        if value_type != 7 {
            return Err(FrameError::Header);
        }
        *slot = std::str::from_utf8(value).map_err(|_| FrameError::Header)?;
    }
    match message_type {
        "event" => Ok(FrameKind::Event(event)),
        "exception" => Ok(FrameKind::Exception(exception)),
        "error" => Ok(FrameKind::Error(code)),
        _ => Err(FrameError::Header),
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], FrameError> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(FrameError::Header)?;
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests;
