//! Regression sets of the UCI repository on their 20 standard splits, as docs/uci.md describes:
//! `cargo run --release -p noisefit --example uci -- FOLDER [THREADS [SPLITS]]` prints its tables.

mod data;
mod encoding;
mod ensemble;
mod linear;
mod member;
mod mixture;
mod score;
mod table;

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use data::{NAMES, Set};
use score::Score;

/// The two models' scores of a split.
struct Scores {
    linear: Score,
    networks: Score,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("usage: uci FOLDER [THREADS [SPLITS]]")?);
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (threads, splits) = (number(2)?, number(20)?);
    let sets = NAMES.iter().map(|name| Set::read(&folder, name)).collect::<Result<Vec<_>, _>>()?;

    let start = Instant::now();
    let scores = all_scores(&sets, splits, threads)?;
    let seconds = start.elapsed().as_secs_f64();
    table::print(&folder, &scores)?;
    println!("\n{} networks on {threads} threads: {seconds:.0} s.", scores.len() * splits * ensemble::MEMBERS);
    Ok(())
}

/// The scores of every set's first splits. Threads take one split after the other; no result depends on which took it.
fn all_scores(sets: &[Set], splits: usize, threads: usize) -> Result<Vec<Vec<Scores>>, noisefit_core::Error> {
    let jobs: Vec<(&Set, usize)> =
        sets.iter().flat_map(|set| (0..splits.min(set.tests.len())).map(move |split| (set, split))).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(&(set, split)) = jobs.get(number) else { return Ok(done) };
            let (training, test) = (set.training(split), &set.tests[split]);
            let linear = Score::of(set, split, &linear::predict(set, &training, test)?);
            let networks = Score::of(set, split, &ensemble::predict(set, &training, test, split as u64)?);
            done.push((number, Scores { linear, networks }));
        }
    };
    let mut done = Vec::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            match worker.join() {
                Ok(scores) => done.extend(scores?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<(), noisefit_core::Error>(())
    })?;
    done.sort_by_key(|(number, _)| *number);
    let mut scores = done.into_iter().map(|(_, score)| score);
    Ok(sets.iter().map(|set| scores.by_ref().take(splits.min(set.tests.len())).collect()).collect())
}
