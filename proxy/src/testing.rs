//! What the property tests of this crate share.

use proptest::{prelude::*, test_runner::RngSeed};

/// So many cases, the same ones in every run. What fails is printed whole; nothing is written beside the sources.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count,
        rng_seed: RngSeed::Fixed(20_261_125),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
