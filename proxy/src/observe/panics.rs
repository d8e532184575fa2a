//! Panics end one task and are counted. Their number must stay 0.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, PanicHookInfo, set_hook},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::time::sleep;
use tracing::error;

use super::metrics;

/// Has every panic counted and logged: where it was, and no more. What a panic says may quote what people wrote.
pub fn install_hook() {
    set_hook(Box::new(tell));
}

/// How long something that has to go on for ever waits after a panic.
pub const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Does for ever what must not end, and begins anew where it panics.
pub async fn lasting<T: Future<Output = Infallible>>(act: impl Fn() -> T) -> Infallible {
    loop {
        match AssertUnwindSafe(act()).catch_unwind().await {
            Ok(never) => match never {},
            Err(_) => sleep(AGAIN_AFTER).await,
        }
    }
}

fn tell(panic: &PanicHookInfo<'_>) {
    metrics::panicked();
    let location = panic.location().map_or_else(|| "nobody knows where".to_owned(), ToString::to_string);
    let backtrace = std::backtrace::Backtrace::capture();
    error!(location, %backtrace, "a task panicked: this is a fault of the proxy's, please report it");
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        future::pending,
        panic::{catch_unwind, take_hook},
    };

    use ::metrics::with_local_recorder;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_must_not_end_begins_anew_after_a_panic() {
        let begun = Cell::new(0);
        let act = || {
            begun.set(begun.get() + 1);
            let fails = begun.get() < 3;
            async move { if fails { panic!("of a test") } else { pending().await } }
        };
        let lasting = tokio::time::timeout(AGAIN_AFTER * 10, lasting(act));
        lasting.await.expect_err("it goes on");
        assert_eq!(begun.get(), 3);
    }

    #[test]
    fn a_panic_is_counted() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let page = recorder.handle();
        // The other tests of this process go on to hear of their panics.
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            tell(panic);
            before(panic);
        }));
        with_local_recorder(&recorder, || catch_unwind(|| panic!("of a test")).expect_err("a panic"));
        assert!(page.render().contains("outcrop_panics_total 1"), "{}", page.render());
    }
}
