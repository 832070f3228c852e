//! A step of training allocates nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use noisefit_core::network::{Activation, Architecture, Embedding, Learner, Objective, Targets, UpdateRule};
use noisefit_core::noise::{Noise, StudentT};

thread_local! {
    /// Of this thread: the one that runs the tests may tell how they go.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: it hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_step_allocates_nothing() {
    let student_t = Noise::StudentT(StudentT::estimated(4.0));
    let x: Vec<f32> = (0..64 * 10).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
    let y: Vec<f32> = (0..64).map(|i| (i * 17 % 31) as f32 / 15.0 - 1.0).collect();
    for (objective, hidden, embeddings) in [
        (Objective::SquaredError, vec![], vec![]),
        (Objective::Quantiles(vec![0.1, 0.9]), vec![64, 32], vec![]),
        (
            Objective::Likelihood { noise: student_t, modelled: true },
            vec![64, 32],
            vec![Embedding { inputs: 2..8, width: 3 }],
        ),
    ] {
        let outputs = objective.outputs();
        let architecture =
            Architecture { inputs: 10, embeddings, pieces: Vec::new(), hidden, activation: Activation::Gelu, outputs };
        // Of 100 rows at a time, and in pieces.
        for capacity in [64, 20] {
            let mut learner = Learner::new(architecture.clone(), objective.clone(), UpdateRule::Adam, capacity, 0)
                .unwrap()
                .with_dropout(0.1)
                .with_clip(1.0);
            let targets = Targets { response: &y, weights: None, frequencies: None };
            // The first may fill what the matrix products keep for all that follow.
            learner.step(&x, &targets, 1e-3);
            let before = COUNT.get();
            for _ in 0..100 {
                learner.step(&x, &targets, 1e-3);
            }
            assert_eq!(COUNT.get() - before, 0, "{objective:?}");
        }
    }
}
