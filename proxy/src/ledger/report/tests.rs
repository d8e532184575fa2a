use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use protocol::{SessionId, ToolStatus, Usage};

use super::*;
use crate::{
    ledger::testing::settle,
    store::{CallOutcome, CallsPage, MemoryStore, Reservation, ToolRun},
    testing::cases,
};

const EVERYTHING: CallsOf =
    CallsOf { organization: None, user: None, from: Timestamp::from_unix_ms(0), to: Timestamp::MAX };

/// A call in a few of whose fields a report is interested.
fn call(owner: (&str, &str), session: u8, message: u16, number: u32, model: &str, asked_ms: u64) -> Call {
    Call {
        owner: Owner { organization: owner.0.into(), user: owner.1.into() },
        session: SessionId::new(format!("s{session}")).unwrap(),
        message: MessageId::new(format!("m{message}")).unwrap(),
        number,
        asked: Timestamp::from_unix_ms(asked_ms),
        model_asked: "asked".into(),
        model: model.into(),
        region: "us-east-1".into(),
        usage: Usage::default(),
        duration_ms: 1,
        first_token_ms: None,
        outcome: CallOutcome::Complete,
        tools: Vec::new(),
    }
}

fn tool() -> ToolRun {
    ToolRun { server: None, name: "tool".into(), status: ToolStatus::Denied, duration_ms: 0 }
}

fn costing(call: Call, cost_nano_usd: Option<u64>) -> Call {
    Call { usage: Usage { input_tokens: 1, total_tokens: 1, cost_nano_usd, ..Usage::default() }, ..call }
}

fn report(calls: &[Call], by: &[GroupBy]) -> Report {
    let mut fold = Fold::new(unmistakable(by, &EVERYTHING));
    calls.iter().try_for_each(|call| fold.add(call)).unwrap();
    fold.end(&EVERYTHING)
}

prop_compose! {
    /// The calls of one answer.
    fn answer()(
        owner in (prop::sample::select(vec!["a", "b"]), prop::sample::select(vec!["ann", "bob", "a ann"])),
        session in 0..3_u8,
        message in any::<u16>(),
        asked_ms in 1_795_000_000_000..1_795_400_000_000_u64,
        calls in prop::collection::vec(
            (0..3_u8, 0..1_000_u64, 0..1_000_u64, 0..9_u64, any::<bool>(), 0..4_u8, 0..3_usize),
            1..5,
        ),
    ) -> Vec<Call> {
        let call = |(n, (model, input_tokens, output_tokens, cached, estimated, priced, tools)): (usize, _)| {
            let source = if estimated { UsageSource::Estimated } else { UsageSource::Reported };
            let usage = Usage {
                input_tokens,
                output_tokens,
                total_tokens: input_tokens + output_tokens + cached,
                cache_read_input_tokens: cached,
                source,
                cost_nano_usd: (priced > 0).then_some(input_tokens * 7 + output_tokens * 11),
                ..Usage::default()
            };
            let tools = vec![tool(); tools];
            Call { usage, tools, ..call(owner, session, message, n as u32 + 1, &format!("model{model}"), asked_ms) }
        };
        calls.into_iter().enumerate().map(call).collect()
    }
}

fn groups() -> impl Strategy<Value = Vec<GroupBy>> {
    let all = GROUPS.map(|(_, group)| group).to_vec();
    prop::sample::subsequence(all, 1..=3).prop_shuffle()
}

/// The sum of `calls`, by other means.
fn plain_sum<'a>(calls: impl Iterator<Item = &'a Call> + Clone) -> (UsageSum, Option<u64>) {
    let total = |of: fn(&Call) -> u64| calls.clone().map(of).sum::<u64>();
    let answers: BTreeSet<_> = calls.clone().map(|call| (&call.owner, &call.message)).collect();
    let costs: Vec<_> = calls.clone().filter_map(|call| call.usage.cost_nano_usd).collect();
    let sum = UsageSum {
        turns: answers.len() as u64,
        calls: calls.clone().count() as u64,
        estimated_calls: total(|call| u64::from(call.usage.source == UsageSource::Estimated)),
        unpriced_calls: total(|call| u64::from(call.usage.cost_nano_usd.is_none())),
        tool_calls: total(|call| call.tools.len() as u64),
        usage: Usage {
            input_tokens: total(|call| call.usage.input_tokens),
            output_tokens: total(|call| call.usage.output_tokens),
            total_tokens: total(|call| call.usage.total_tokens),
            cache_read_input_tokens: total(|call| call.usage.cache_read_input_tokens),
            ..Usage::default()
        },
    };
    (sum, (!costs.is_empty()).then(|| costs.iter().sum()))
}

fn assert_is_sum<'a>(sum: &UsageSum, calls: impl Iterator<Item = &'a Call> + Clone) {
    let (mut expected, cost) = plain_sum(calls);
    expected.usage.cost_nano_usd = cost;
    if expected.estimated_calls > 0 {
        expected.usage.source = UsageSource::Estimated;
    }
    assert_eq!(*sum, expected);
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn every_row_and_the_total_are_plain_sums_of_calls(
        answers in prop::collection::vec(answer(), 1..60),
        by in groups(),
    ) {
        // An id is an answer's own among those of its owner.
        let answers: BTreeMap<_, _> =
            answers.into_iter().map(|calls| ((calls[0].owner.clone(), calls[0].message.clone()), calls)).collect();
        let calls: Vec<Call> = answers.into_values().flatten().collect();
        let report = report(&calls, &by);
        assert_is_sum(&report.total, calls.iter());
        let mut keys = BTreeSet::new();
        for row in &report.rows {
            let is_in = |call: &&Call| report.by.iter().map(|by| key(*by, call)).eq(row.keys.iter().cloned());
            assert_is_sum(&row.sum, calls.iter().filter(is_in));
            prop_assert!(keys.insert(row.keys.clone()), "{:?} twice", row.keys);
        }
        prop_assert_eq!(report.rows.iter().map(|row| row.sum.calls).sum::<u64>(), report.total.calls);
    }
}

#[test]
fn times_come_in_order_and_within_them_the_dearest_first() {
    let day = 86_400_000;
    let calls = [
        costing(call(("o", "ann"), 0, 1, 1, "cheap", day), Some(1)),
        costing(call(("o", "ann"), 0, 2, 1, "dear", day), Some(5)),
        costing(call(("o", "bob"), 0, 3, 1, "as dear", day), Some(5)),
        costing(call(("o", "bob"), 0, 4, 1, "cheap", 0), Some(9)),
    ];
    let keys = |by: &[GroupBy]| report(&calls, by).rows.into_iter().map(|row| row.keys.join("|")).collect::<Vec<_>>();
    assert_eq!(keys(&[GroupBy::Model]), ["cheap", "as dear", "dear"]);
    assert_eq!(
        keys(&[GroupBy::Day, GroupBy::Model]),
        ["1970-01-01|cheap", "1970-01-02|as dear", "1970-01-02|dear", "1970-01-02|cheap"]
    );
    assert_eq!(
        keys(&[GroupBy::Model, GroupBy::Day]),
        ["cheap|1970-01-01", "cheap|1970-01-02", "as dear|1970-01-02", "dear|1970-01-02"],
        "a model's days stay together"
    );
    assert_eq!(keys(&[GroupBy::Hour]), ["1970-01-01T00:00Z", "1970-01-02T00:00Z"]);
}

#[test]
fn people_and_sessions_of_the_same_name_are_not_added_up() {
    let calls = [
        costing(call(("one", "ann"), 0, 1, 1, "m", 0), Some(1)),
        costing(call(("other", "ann"), 0, 1, 1, "m", 0), Some(2)),
    ];
    let report = report(&calls, &[GroupBy::Session, GroupBy::Session]);
    assert_eq!(report.by, [GroupBy::Organization, GroupBy::User, GroupBy::Session]);
    assert_eq!((report.rows.len(), report.total.turns), (2, 2));
    let of = CallsOf { organization: Some("one".into()), ..EVERYTHING };
    assert_eq!(unmistakable(&[GroupBy::User], &of), [GroupBy::User]);
    assert_eq!(unmistakable(&[GroupBy::Session], &of), [GroupBy::User, GroupBy::Session]);
    let of = CallsOf { user: Some("ann".into()), ..of };
    assert_eq!(unmistakable(&[GroupBy::Session], &of), [GroupBy::Session]);
    assert_eq!(unmistakable(&[GroupBy::User, GroupBy::Organization], &EVERYTHING).len(), 2);
}

#[test]
fn an_unknown_cost_is_none_and_nothing_at_all_costs_nothing() {
    let unpriced = costing(call(("o", "ann"), 0, 1, 1, "m", 0), None);
    let report = report(&[unpriced], &[GroupBy::Model]);
    assert_eq!((report.total.unpriced_calls, report.total.usage.cost_nano_usd), (1, None));
    let nothing = Fold::new(vec![GroupBy::Day]).end(&EVERYTHING);
    assert_eq!((nothing.rows, nothing.total.usage.cost_nano_usd), (Vec::new(), Some(0)));
}

#[test]
fn there_are_so_many_rows_and_no_more() {
    let mut fold = Fold::new(vec![GroupBy::Model]);
    let add = |fold: &mut Fold, n: usize| fold.add(&call(("o", "ann"), 0, 1, 1, &n.to_string(), 0));
    (0..MAX_ROWS).for_each(|n| add(&mut fold, n).unwrap());
    assert_eq!(add(&mut fold, MAX_ROWS), Err(ReportError::TooManyRows));
    assert_eq!(add(&mut fold, 0), Ok(()), "of a row that is there already");
}

#[test]
fn a_range_is_not_empty_and_at_most_400_days() {
    let at = |day: u64| Timestamp::from_unix_ms(day * 86_400_000);
    let now = at(1_000);
    let (from, to) = range(None, None, now).unwrap();
    assert_eq!((to.unix_ms(), from.unix_ms()), (now.unix_ms() + 1, at(970).unix_ms() + 1));
    assert_eq!(range(Some(at(500)), Some(at(900)), now), Ok((at(500), at(900))));
    assert!(range(Some(at(499)), Some(at(900)), now).unwrap_err().contains("400 days"));
    for (from, to) in [(Some(at(900)), Some(at(900))), (Some(at(1_001)), None)] {
        assert!(range(from, to, now).unwrap_err().contains("before to"));
    }
}

#[tokio::test]
async fn an_answer_whose_calls_fill_more_than_a_page_of_the_store_is_one() {
    let store = MemoryStore::default();
    let first = costing(call(("o", "ann"), 0, 1, 1, "m", 1_000), Some(3));
    let calls: Vec<_> = (1..=CallsPage::MAX as u32 + 500).map(|number| Call { number, ..first.clone() }).collect();
    let count = calls.len() as u64;
    settle(&store, Reservation::default(), calls).await;
    let total = Report::make(&store, &EVERYTHING, &[GroupBy::Model]).await.unwrap().total;
    assert_eq!((total.turns, total.calls, total.usage.cost_nano_usd), (1, count, Some(3 * count)));
}
