//! What proves reasoning: it is made here, opaque to clients, who must send it back as it is, and known again here.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

/// Goes with this text and no other.
pub(crate) fn signature(text: &str) -> String {
    BASE64_STANDARD.encode(digest("signature", text.as_bytes()))
}

/// Whether the signature is that of the text.
pub(crate) fn is_signed(text: &str, signature: &str) -> bool {
    self::signature(text) == signature
}

/// The text as bytes in base64 that do not tell it.
pub(crate) fn redacted(text: &str) -> String {
    let hidden = digest("hidden", text.as_bytes());
    BASE64_STANDARD.encode([hidden, digest("redacted", &hidden)].concat())
}

/// Whether [`redacted`] made these bytes.
pub(crate) fn is_ours(bytes: &[u8]) -> bool {
    bytes.split_at_checked(32).is_some_and(|(hidden, proof)| digest("redacted", hidden) == proof)
}

fn digest(purpose: &str, bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(format!("emulator:{purpose}:")).chain_update(bytes).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_here_is_known_and_nothing_else() {
        assert!(is_signed("Hm", &signature("Hm")));
        assert!(!is_signed("Hm.", &signature("Hm")) && !is_signed("Hm", ""));
        let mut bytes = BASE64_STANDARD.decode(redacted("Hm")).expect("base64");
        assert!(is_ours(&bytes) && !is_ours(&[]) && !is_ours(&bytes[..40]));
        bytes[3] ^= 1;
        assert!(!is_ours(&bytes));
    }
}
