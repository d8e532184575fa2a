//! Panics end one task and are counted. Their number must stay 0.

use std::panic::{PanicHookInfo, set_hook};

use tracing::error;

use super::metrics;

/// Has every panic counted and logged: where it was, and no more. What a panic says may quote what people wrote.
pub fn install_hook() {
    set_hook(Box::new(tell));
}

fn tell(panic: &PanicHookInfo<'_>) {
    metrics::panicked();
    let location = panic.location().map_or_else(|| "nobody knows where".to_owned(), ToString::to_string);
    let backtrace = std::backtrace::Backtrace::capture();
    error!(location, %backtrace, "a task panicked: this is a fault of the proxy's, please report it");
}

#[cfg(test)]
mod tests {
    use std::panic::{catch_unwind, take_hook};

    use ::metrics::with_local_recorder;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

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
