//! More is set aside for an answer that goes on: one transaction.

use protocol::MessageId;

use super::{
    DynamoStore, accounts,
    item::{Attributes, Change, json, s},
    keys,
    table::{Outcome, Tries, contended, is_text},
};
use crate::{
    principal::Owner,
    store::{Amount, Reservation, StoreError},
};

/// The parts of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The open answer is as it was read.
    Open,
    /// There is enough left in this account of the reservation.
    Account(usize),
}

impl DynamoStore {
    pub(super) async fn set_more_aside(&self, owner: &Owner, id: &MessageId, amount: Amount) -> Result<(), StoreError> {
        let key = keys::open_answer(owner, id);
        let by = self.unique();
        let mut tries = Tries::default();
        loop {
            let open = self.table.get(&key).await?.ok_or(StoreError::NotOpen)?;
            // By a try that nobody knew of.
            if is_text(open.get("more_by"), &by) {
                return Ok(());
            }
            let Reservation { amount: before, accounts } = open.parsed("reservation")?;
            self.refuse_more_than_limits(amount, &accounts).await?;
            let mut transaction = self.table.transaction();
            for (index, account) in accounts.iter().enumerate() {
                transaction.update(Part::Account(index), accounts::reserving(account, amount))?;
            }
            let after = Reservation { amount: before.plus(amount), accounts };
            let change = Change::of(key.clone())
                .set("reservation", json(&after)?)
                .set("more_by", s(&by))
                .when("#reservation = :reserved")
                .with("reserved", s(open.text("reservation")?));
            transaction.update(Part::Open, change)?;
            match self.table.transact(transaction).await? {
                Outcome::Done => return Ok(()),
                Outcome::Refused(parts) => {
                    if let [(Part::Account(first), item), ..] = parts.as_slice()
                        && parts.iter().all(|(part, _)| *part != Part::Open)
                    {
                        let account = after.accounts[*first].clone();
                        return Err(StoreError::OverBudget(Box::new(account), accounts::balance_of(item)));
                    }
                    tries.again(contended()).await?;
                }
                Outcome::Contended => tries.again(contended()).await?,
                Outcome::Unknown(error) => tries.find_out(error)?,
            }
        }
    }
}
