//! Calls and accounts in memory.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use protocol::Timestamp;

use crate::store::{
    Account, Amount, Balance, Call, CallsOf, CallsPage, KEPT_AFTER_END, Reservation, StoreError, calls::Cursor,
};

/// The most calls; the oldest one makes room for a new one.
pub(super) const MAX_CALLS: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Ledger {
    calls: BTreeMap<Cursor, Call>,
    accounts: HashMap<String, Kept>,
}

#[derive(Debug)]
struct Kept {
    until: Timestamp,
    balance: Balance,
    alerted_percent: u32,
}

impl Ledger {
    /// Forgets the accounts that need not be kept at `now`.
    pub(super) fn forget_ended(&mut self, now: Timestamp) {
        let oldest = now.unix_ms().saturating_sub(KEPT_AFTER_END.as_millis() as u64);
        self.accounts.retain(|_, kept| kept.until.unix_ms() >= oldest);
    }

    /// Sets `amount` aside, if there is as much in each account.
    pub(super) fn reserve(&mut self, amount: Amount, accounts: &[Account]) -> Result<(), StoreError> {
        for account in accounts {
            let balance = self.balance(account);
            if !account.limit.allows(balance.used().plus(amount)) {
                return Err(StoreError::OverBudget(Box::new(account.clone()), balance));
            }
        }
        for account in accounts {
            let balance = &mut self.account(account).balance;
            balance.reserved = balance.reserved.plus(amount);
        }
        Ok(())
    }

    /// Keeps the calls, gives back what was set aside and spends what they cost.
    pub(super) fn settle(&mut self, reservation: &Reservation, calls: Vec<Call>) {
        let spent = calls.iter().map(Call::amount).fold(Amount::default(), Amount::plus);
        for call in calls {
            self.calls.insert(Cursor::at(&call), call);
        }
        while self.calls.len() > MAX_CALLS {
            self.calls.pop_first();
        }
        for account in &reservation.accounts {
            let balance = &mut self.account(account).balance;
            balance.reserved = balance.reserved.minus(reservation.amount);
            balance.spent = balance.spent.plus(spent);
        }
    }

    fn account(&mut self, account: &Account) -> &mut Kept {
        let empty = || Kept { until: account.until, balance: Balance::default(), alerted_percent: 0 };
        self.accounts.entry(account.key.clone()).or_insert_with(empty)
    }

    pub(super) fn balance(&self, account: &Account) -> Balance {
        self.accounts.get(&account.key).map_or_else(Balance::default, |kept| kept.balance)
    }

    pub(super) fn raise_alert(&mut self, account: &Account, percent: u32) -> bool {
        let kept = self.account(account);
        let is_new = kept.alerted_percent < percent;
        kept.alerted_percent = kept.alerted_percent.max(percent);
        is_new
    }

    pub(super) fn calls(&self, of: &CallsOf, after: Option<&str>) -> Result<CallsPage, StoreError> {
        let after = Bound::Excluded(Cursor::read(after, of.from)?);
        let mut those = self.calls.range((after, Bound::Unbounded)).map(|(_, call)| call).filter(|call| of.has(call));
        let calls: Vec<_> = those.by_ref().take(CallsPage::MAX).cloned().collect();
        let next = calls.last().filter(|_| those.next().is_some()).map(|last| Cursor::at(last).write());
        Ok(CallsPage { calls, next })
    }
}
