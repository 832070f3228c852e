//! The simulation studies behind docs/simulation.md: `cargo run --release -p noisefit-core --example simulation -- [REPLICATIONS [coverage|small|conformal|judgement|pit|scrutiny|tails]]`
//! prints the page (2,000 replications take some minutes), or a part of it.

mod conformal;
mod coverage;
mod data;
mod judgement;
mod random;
mod scrutiny;
mod small;

fn main() -> Result<(), noisefit_core::Error> {
    let replications = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2000);
    println!("# What the intervals cover and what is chosen, by simulation\n");
    println!(
        "Samples of `y = 1 + 2 x1 - x2 + noise`, x1 standard normal and x2 uniform between -1 and 1, {replications} for each \
         cell, drawn from fixed seeds; this page is what `cargo run --release -p noisefit-core --example simulation` prints.\n"
    );
    // A part alone, where it is named.
    let part = std::env::args().nth(2);
    let wanted = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if wanted("coverage") {
        coverage::print(replications)?;
    }
    if wanted("small") {
        small::print(replications)?;
    }
    if wanted("conformal") {
        conformal::print(replications)?;
    }
    if wanted("judgement") {
        judgement::print(replications)?;
    }
    if wanted("pit") {
        scrutiny::sizes(replications)?;
    }
    if wanted("scrutiny") {
        scrutiny::detection(replications)?;
    }
    if wanted("tails") {
        scrutiny::tails(replications)?;
    }
    Ok(())
}
