//! Amounts that are set aside and spent, and how much of them there may be.

use std::time::Duration;

use protocol::Timestamp;
use serde::{Deserialize, Serialize};

/// How long an account is kept after its end: an answer that began in it may end later.
pub const KEPT_AFTER_END: Duration = Duration::from_secs(24 * 3_600);

/// Money and tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amount {
    /// Nano-dollars.
    pub nano_usd: u64,
    /// Tokens of every kind.
    pub tokens: u64,
}

impl Amount {
    /// The two together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            nano_usd: self.nano_usd.saturating_add(other.nano_usd),
            tokens: self.tokens.saturating_add(other.tokens),
        }
    }

    /// What is left of it without `other`, never less than nothing.
    pub fn minus(self, other: Self) -> Self {
        Self {
            nano_usd: self.nano_usd.saturating_sub(other.nano_usd),
            tokens: self.tokens.saturating_sub(other.tokens),
        }
    }
}

/// The most that may be spent and set aside; of what it does not name, any amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limit {
    /// Nano-dollars.
    pub nano_usd: Option<u64>,
    /// Tokens of every kind.
    pub tokens: Option<u64>,
}

impl Limit {
    /// Whether `amount` is within it.
    pub fn allows(&self, amount: Amount) -> bool {
        self.nano_usd.is_none_or(|most| amount.nano_usd <= most) && self.tokens.is_none_or(|most| amount.tokens <= most)
    }
}

/// One user's, one organisation's or everybody's spending in one day or month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Names it; the same for every proxy, at most 700 bytes.
    pub key: String,
    /// When it ends. It may be forgotten a day later.
    pub until: Timestamp,
    /// How much there is.
    pub limit: Limit,
}

/// What is set aside for one answer, in each of some accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reservation {
    /// How much.
    pub amount: Amount,
    /// The accounts; at most [`Reservation::MAX_ACCOUNTS`].
    pub accounts: Vec<Account>,
}

impl Reservation {
    /// A user, an organisation and the proxy, each for a day and a month.
    pub const MAX_ACCOUNTS: usize = 6;
}

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// What the calls that were settled cost.
    pub spent: Amount,
    /// What is set aside for answers under way.
    pub reserved: Amount,
}

impl Balance {
    /// Both together.
    pub fn used(&self) -> Amount {
        self.spent.plus(self.reserved)
    }
}
