use tokio::time::advance;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn per_minute(messages: u32, tokens: u32) -> PerMinute {
    let some = |n| NonZeroU32::new(n).expect("more than 0");
    PerMinute { messages: some(messages), tokens: some(tokens) }
}

fn owner(organization: &str, user: &str) -> Owner {
    Owner { organization: organization.into(), user: user.into() }
}

fn wait(result: Result<(), OverRate>) -> Option<Duration> {
    result.expect_err("too many").wait
}

#[tokio::test(start_paused = true)]
async fn a_minutes_worth_may_come_at_once_and_then_it_comes_evenly() {
    let rates = Rates::new(per_minute(3, 1_000), per_minute(100, 1_000));
    let (ann, bob) = (owner("acme", "ann"), owner("acme", "bob"));
    for _ in 0..3 {
        rates.message(&ann).expect("one of three");
    }
    for asked_again in 0..5 {
        assert_eq!(wait(rates.message(&ann)), Some(20 * SECOND - asked_again * SECOND));
        advance(SECOND).await;
    }
    rates.message(&bob).expect("his own");
    rates.message(&owner("other", "ann")).expect("somebody else of that name");
    advance(15 * SECOND - Duration::from_millis(1)).await;
    assert_eq!(wait(rates.message(&ann)), Some(Duration::from_millis(1)));
    advance(Duration::from_millis(1)).await;
    rates.message(&ann).expect("what was refused did not count");
    assert_eq!(wait(rates.message(&ann)), Some(20 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn an_organization_has_a_share_of_its_own_and_a_refusal_costs_its_users_nothing() {
    let rates = Rates::new(per_minute(3, 100), per_minute(4, 250));
    let (ann, bob, eve) = (owner("acme", "ann"), owner("acme", "bob"), owner("other", "eve"));
    for who in [&ann, &ann, &bob, &bob] {
        rates.message(who).expect("one of four");
    }
    let refused = rates.message(&ann).expect_err("one too many");
    assert_eq!(refused.wait, Some(15 * SECOND));
    assert!(refused.text.starts_with("An organization may send 4 messages a minute"), "{}", refused.text);
    for _ in 0..10 {
        assert!(rates.message(&ann).is_err());
    }
    rates.message(&eve).expect("of another organization");
    advance(15 * SECOND).await;
    rates.message(&ann).expect("her third was not used up by refusals");
    for who in [&ann, &bob] {
        rates.tokens(who, 100).expect("tokens of their own");
    }
    let of_both = rates.tokens(&ann, 100).expect_err("too many");
    assert!(of_both.wait == Some(60 * SECOND) && of_both.text.contains("that one user may use"), "{of_both:?}");
    let of_organization = rates.tokens(&owner("acme", "joe"), 100).expect_err("too many").text;
    assert!(of_organization.contains("of the 250 that an organization may use"), "{of_organization}");
    rates.tokens(&owner("acme", "joe"), 50).expect("what is left");
}

#[tokio::test(start_paused = true)]
async fn what_is_more_than_there_ever_is_cannot_be_retried() {
    let rates = Rates::new(per_minute(10, 1_000), per_minute(10, 5_000));
    for tokens in [1_001, u64::from(u32::MAX) + 1, u64::MAX] {
        let data = rates.tokens(&owner("acme", "ann"), tokens).expect_err("too many").into_data();
        assert_eq!((data.code, data.retryable, data.retry_after_ms), (ErrorCode::RateLimited, false, None));
        assert!(data.message.contains("more than one user may use in a minute (1000). Send less"), "{}", data.message);
    }
    rates.tokens(&owner("acme", "ann"), 1_000).expect("all there is");
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_tokens_is_one_after_which_the_message_may_be_sent() {
    let rates = Rates::new(per_minute(1, 60), per_minute(10, 500));
    let ann = owner("acme", "ann");
    rates.message(&ann).expect("the first");
    rates.tokens(&ann, 60).expect("all there is");
    assert_eq!(wait(rates.tokens(&ann, 1)), Some(60 * SECOND), "there is a token in 1 s, and a message in 60");
    advance(60 * SECOND).await;
    rates.message(&ann).expect("after the wait");
    rates.tokens(&ann, 60).expect("after the wait");
}

#[tokio::test(start_paused = true)]
async fn waits_are_told_in_whole_milliseconds_and_never_too_short() {
    let rates = Rates::new(per_minute(7, 1), per_minute(100, 1));
    let ann = owner("acme", "ann");
    while rates.message(&ann).is_ok() {}
    let data = rates.message(&ann).expect_err("too many").into_data();
    assert_eq!((data.retryable, data.retry_after_ms), (true, Some(8_572)), "60 s / 7");
    advance(Duration::from_millis(8_572)).await;
    rates.message(&ann).expect("after the wait");
}

#[tokio::test(start_paused = true)]
async fn those_who_are_gone_take_no_room() {
    let rates = Rates::new(per_minute(10, 100), per_minute(1_000_000, 100));
    for n in 0..10_000 {
        rates.message(&owner(&format!("organization {}", n % 10), &format!("user {n}"))).expect("a message");
    }
    assert_eq!(rates.kept(), 10_010);
    advance(2 * FORGET_INTERVAL).await;
    assert_eq!(rates.kept(), 0);
    let busy = owner("acme", "ann");
    for _ in 0..10 {
        rates.message(&busy).expect("a message");
    }
    advance(FORGET_INTERVAL / 2).await;
    assert!(rates.message(&busy).is_ok() && rates.kept() == 2, "who is busy is known");
}

#[tokio::test(start_paused = true)]
async fn without_limits_nothing_is_counted() {
    let rates = Rates::default();
    for _ in 0..10_000 {
        rates.message(&Owner::local()).expect("no limit");
        rates.tokens(&Owner::local(), u64::MAX).expect("no limit");
    }
    assert_eq!(rates.kept(), 0);
}
