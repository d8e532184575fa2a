//! The real client machine and the real server machine on virtual time, with seeded faults between them.
//!
//! `OUTCROP_SIM_CUTS` and `OUTCROP_SIM_SEED` change how much is run and which; `OUTCROP_SIM_SCENARIO=seed` runs one scenario alone
//! and prints every step.

mod process;
mod upstream;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use world::{Counts, World};

/// Cuts of a normal run.
const CUTS: u64 = 10_000;

const SEED: u64 = 20_261_123;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn scenario(seed: u64, trace: bool) -> Counts {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async { World::new(seed, trace).run().await })
}

#[test]
fn nothing_is_lost_doubled_or_asked_twice() {
    if let Some(seed) = setting("OUTCROP_SIM_SCENARIO") {
        println!("simulation: {:?} scenario {seed}", scenario(seed, true));
        return;
    }
    let (cuts, first) = (setting("OUTCROP_SIM_CUTS").unwrap_or(CUTS), setting("OUTCROP_SIM_SEED").unwrap_or(SEED));
    let mut all = Counts::default();
    let mut seed = first;
    while all.cuts < cuts {
        match catch_unwind(AssertUnwindSafe(|| scenario(seed, false))) {
            Ok(counts) => all.add(&counts),
            Err(panic) => {
                eprintln!("simulation: failed after {} cuts; replay with OUTCROP_SIM_SCENARIO={seed}", all.cuts);
                resume_unwind(panic);
            }
        }
        seed += 1;
    }
    println!(
        "simulation: {} cuts, {} answers ({} whole, {} stopped), {} restarts, {} calls, {} scenarios, seed {first}",
        all.cuts,
        all.answers,
        all.whole,
        all.stopped,
        all.restarts,
        all.calls,
        seed - first
    );
    assert!(
        cuts < 1_000 || (all.whole > 0 && all.stopped > 0 && all.restarts > 0),
        "every kind of thing happens: {all:?}"
    );
}
