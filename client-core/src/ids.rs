//! Ids of frames: a prefix of this client's own and a number. What comes back is found by its number.

use protocol::codec::push_number;

/// A request of this client, and the number in its frame's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle(pub u32);

/// Gives out ids. The prefix has 64 random bits: an id is the idempotency key of `chat.send_message` within user and session,
/// so two pages of one person must not choose the same.
#[derive(Debug)]
pub(crate) struct Ids {
    prefix: String,
    last: u32,
}

impl Ids {
    pub(crate) fn new(random: u64) -> Self {
        let mut prefix = String::with_capacity(17);
        // A letter for every four bits, in the alphabet that ids have.
        prefix.extend((0..64).step_by(4).map(|shift| char::from(b'a' + (random >> shift) as u8 % 16)));
        prefix.push('-');
        Self { prefix, last: 0 }
    }

    pub(crate) fn fresh(&mut self) -> Handle {
        self.last += 1;
        Handle(self.last)
    }

    /// The id of the frame with this number.
    pub(crate) fn text(&self, handle: Handle) -> String {
        let mut text = self.prefix.clone();
        push_number(&mut text, u64::from(handle.0));
        text
    }

    /// The number of the frame with this id, if it is one of this client's.
    pub(crate) fn parse(&self, id: &str) -> Option<Handle> {
        let digits = id.strip_prefix(&self.prefix)?;
        let mut number: u32 = 0;
        for digit in digits.bytes() {
            let digit = digit.checked_sub(b'0').filter(|&digit| digit < 10)?;
            number = number.checked_mul(10)?.checked_add(u32::from(digit))?;
        }
        (number > 0).then_some(Handle(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_again_and_no_other_is_taken_for_it() {
        let mut ids = Ids::new(7);
        let first = ids.fresh();
        let text = ids.text(first);
        assert_eq!((ids.parse(&text), ids.parse(""), ids.parse("1")), (Some(first), None, None));
        assert_eq!(Ids::new(8).parse(&text), None);
        assert!(protocol::RequestId::new(text).is_ok());
    }
}
