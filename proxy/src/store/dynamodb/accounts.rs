//! Accounts: what is spent, and what is spent and set aside together, so that one comparison keeps a limit.

use super::{
    DynamoStore, EXPIRES, expires_at,
    item::{Attributes, Change, Item, n, s},
    keys,
    table::is_text,
};
use crate::store::{Account, Amount, Balance, KEPT_AFTER_END, StoreError};

fn change_of(account: &Account) -> Change {
    Change::of(keys::account(&account.key)).set(EXPIRES, expires_at(account.until, KEPT_AFTER_END))
}

/// Sets `amount` aside, if there is as much.
pub(super) fn reserving(account: &Account, amount: Amount) -> Change {
    let mut change =
        change_of(account).add("used_nano_usd", amount.nano_usd.into()).add("used_tokens", amount.tokens.into());
    let limits =
        [("nano_usd", account.limit.nano_usd, amount.nano_usd), ("tokens", account.limit.tokens, amount.tokens)];
    for (unit, limit, wanted) in limits {
        let Some(limit) = limit else { continue };
        let (used, room) = (format!("#used_{unit}"), format!("room_{unit}"));
        change = change
            .when(format!("(attribute_not_exists({used}) OR {used} <= :{room})"))
            .with(&room, n(i128::from(limit) - i128::from(wanted)));
    }
    change
}

/// Gives back what was set aside, and spends what was used.
pub(super) fn settling(account: &Account, reserved: Amount, spent: Amount) -> Change {
    change_of(account)
        .add("used_nano_usd", i128::from(spent.nano_usd) - i128::from(reserved.nano_usd))
        .add("used_tokens", i128::from(spent.tokens) - i128::from(reserved.tokens))
        .add("spent_nano_usd", spent.nano_usd.into())
        .add("spent_tokens", spent.tokens.into())
}

/// How the account stands that is kept in `item`.
pub(super) fn balance_of(item: &Item) -> Balance {
    let number = |name: &str| {
        let number: i128 = item.find_number(name).unwrap_or_default();
        u64::try_from(number.max(0)).unwrap_or(u64::MAX)
    };
    let spent = Amount { nano_usd: number("spent_nano_usd"), tokens: number("spent_tokens") };
    let used = Amount { nano_usd: number("used_nano_usd"), tokens: number("used_tokens") };
    Balance { spent, reserved: used.minus(spent) }
}

impl DynamoStore {
    /// An account that nothing was set aside in has no item whose condition could hold this up.
    pub(super) async fn refuse_more_than_limits(&self, amount: Amount, accounts: &[Account]) -> Result<(), StoreError> {
        let Some(account) = accounts.iter().find(|account| !account.limit.allows(amount)) else { return Ok(()) };
        let balance = self.balances_of(std::slice::from_ref(account)).await?.pop().unwrap_or_default();
        Err(StoreError::OverBudget(Box::new(account.clone()), balance))
    }

    pub(super) async fn balances_of(&self, accounts: &[Account]) -> Result<Vec<Balance>, StoreError> {
        let keys: Vec<_> = accounts.iter().map(|account| keys::account(&account.key)).collect();
        let mut distinct = keys.clone();
        distinct.sort_by(|a, b| a.pk.cmp(&b.pk));
        distinct.dedup();
        let items = self.table.get_all(distinct).await?;
        let find = |key: &keys::Key| items.iter().find(|item| is_text(item.get(keys::PARTITION), &key.pk));
        Ok(keys.iter().map(|key| find(key).map(balance_of).unwrap_or_default()).collect())
    }

    pub(super) async fn raise(&self, account: &Account, percent: u32) -> Result<bool, StoreError> {
        let by = self.unique();
        let change = change_of(account)
            .set("alert_percent", n(percent))
            .set("alert_by", s(&by))
            .when("(attribute_not_exists(#alert_percent) OR #alert_percent < :alert_percent)");
        Ok(match self.table.update(change).await? {
            Ok(_) => true,
            // The same request may have been sent twice.
            Err(there) => is_text(there.get("alert_by"), &by),
        })
    }
}
