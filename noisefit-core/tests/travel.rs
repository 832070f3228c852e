//! Passes as bytes: what comes back of a pass that is rebuilt from them, and which bytes are refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/everything.rs"]
mod everything;

use std::collections::BTreeSet;
use std::sync::Mutex;

use noisefit_core::Error;
use noisefit_core::algebra::Moments;
use noisefit_core::compare::kinds::{Contestants, Plans, side_by_side};
use noisefit_core::inference;
use noisefit_core::inference::Options;
use noisefit_core::inference::hypothesis::{Adjust, Names, likelihood_ratio};
use noisefit_core::noise::{Noise, NoiseFamily, Noises, StudentT};
use noisefit_core::rows::{
    Accumulator, Block, CodedCategory, Division, Kinds, Layout, Matrix, MemoryRows, Next, Order, Pass, RowSource,
    RowSourceExt, Subset,
};
use serde::{Deserialize, Serialize};

/// Some rows in memory: a work unit.
#[derive(Default)]
struct Unit {
    y: Vec<f64>,
    x: Vec<f64>,
    weights: Vec<f64>,
    clusters: [Vec<u64>; 2],
    /// The levels of two effects, 5 and 4 of them.
    effects: [Vec<u32>; 2],
}

/// Rows in units.
struct Units {
    units: Vec<Unit>,
    models_scale: bool,
    /// How many effects are absorbed.
    absorbed: usize,
    layout: Layout,
}

impl Units {
    /// `count` units of `rows` rows of two regressors, with some noise at each value of the first.
    fn new(count: usize, rows: usize, models_scale: bool, noise: impl Fn(usize, f64) -> f64) -> Self {
        let wave = |i: usize, k: f64| (i as f64 * k).sin() + (i as f64 * k * 1.7).cos();
        let unit = |first: usize| {
            let rows = first..first + rows;
            let [a, b] = [1.3, 2.9].map(|k| rows.clone().map(|i| wave(i, k)).collect::<Vec<f64>>());
            let y = |i: usize| 2.0 + a[i - first] - 0.5 * b[i - first] + noise(i, a[i - first]);
            Unit {
                y: rows.clone().map(y).collect(),
                x: [&a[..], &b[..]].concat(),
                weights: rows.clone().map(|i| 0.5 + (i % 4) as f64).collect(),
                clusters: [
                    rows.clone().map(|i| i as u64 % 17).collect(),
                    rows.clone().map(|i| i as u64 % 13).collect(),
                ],
                effects: [5, 4].map(|levels| rows.clone().map(|i| (i * i % 7) as u32 % levels).collect()),
            }
        };
        let units: Vec<Unit> = (0..count).map(|k| unit(k * rows)).collect();
        let mut found = Units { units, models_scale, absorbed: 0, layout: Layout::default() };
        found.layout = found.rows(&found.units[0]).layout().clone();
        found
    }

    /// Noise of Student's t whose spread grows with the first regressor.
    fn ordinary(models_scale: bool) -> Self {
        let share = |i: usize| ((i as f64 + 0.5) * 0.618_033_988_749_895).fract();
        let noise = StudentT::new(4.0);
        Units::new(3, 16, models_scale, |i, a| (0.3 * a).exp() * noise.quantile(share(i)))
    }

    /// The same with so many absorbed effects.
    fn absorbing(self, absorbed: usize) -> Self {
        let found = Units { absorbed, ..self };
        let layout = found.rows(&found.units[0]).layout().clone();
        Units { layout, ..found }
    }

    fn rows<'a>(&self, unit: &'a Unit) -> MemoryRows<'a> {
        let count = unit.y.len();
        let rows = MemoryRows::new(&unit.y, Matrix::column_major(&unit.x, count, 2).unwrap()).unwrap();
        let rows = rows.named("y", &["a", "b"]).unwrap().with_threads(1);
        let rows = rows.with_clusters("g", &unit.clusters[0]).unwrap().with_clusters("h", &unit.clusters[1]).unwrap();
        let effects = ["e", "f"].into_iter().zip([5, 4]).zip(&unit.effects).take(self.absorbed);
        let rows =
            effects.fold(rows, |rows, ((name, levels), of_rows)| rows.with_effect(name, levels, of_rows).unwrap());
        match self.models_scale {
            true => {
                let scale = Matrix::column_major(&unit.x[..count], count, 1).unwrap();
                rows.with_weights(&unit.weights).unwrap().with_scale_design(scale, &["a"]).unwrap()
            }
            false => rows,
        }
    }
}

impl RowSource for Units {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn units(&self, empty: &dyn Pass, next: &mut Next<'_>) -> Result<(), Error> {
        for unit in &self.units {
            if next(self.rows(unit).run(empty)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn rows_hint(&self) -> Option<u64> {
        Some(self.units.iter().map(|unit| unit.y.len() as u64).sum())
    }
}

/// The same rows, where each unit sees a pass that was rebuilt from bytes, and whose state comes back as bytes.
struct Sent<'a> {
    rows: &'a Units,
    kinds: Kinds,
    /// The passes that were run.
    seen: Mutex<BTreeSet<String>>,
}

impl RowSource for Sent<'_> {
    fn layout(&self) -> &Layout {
        self.rows.layout()
    }

    fn units(&self, empty: &dyn Pass, next: &mut Next<'_>) -> Result<(), Error> {
        self.seen.lock().unwrap().insert(empty.kind());
        let bytes = empty.to_bytes()?;
        for unit in &self.rows.units {
            let rebuilt = self.kinds.pass_from_bytes(&bytes)?;
            let state = self.rows.rows(unit).run(&*rebuilt)?;
            let state = rebuilt.state_to_bytes(&*state)?;
            if next(empty.state_from_bytes(&state)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn rows_hint(&self) -> Option<u64> {
        self.rows.rows_hint()
    }
}

#[test]
fn every_pass_is_rebuilt_from_bytes_and_gives_the_same_bits() {
    let (kinds, mut seen) = (noisefit_core::kinds(), BTreeSet::new());
    for models_scale in [false, true] {
        let rows = Units::ordinary(models_scale);
        let sent = Sent { rows: &rows, kinds: kinds.clone(), seen: Mutex::default() };
        everything::assert_same(&everything::everything(&rows), &everything::everything(&sent));
        seen.extend(sent.seen.into_inner().unwrap());
    }
    // Rows most of which are fitted exactly, and such as are so large that their squares would not be doubles.
    let exact = Units::new(3, 24, false, |i, _| if i % 5 == 0 { 1.0 + i as f64 } else { 0.0 });
    let large = Units::new(3, 24, false, |i, _| (i as f64).sin() * 1e120);
    let noise: Noises = "student-t".parse().unwrap();
    for rows in [exact, large] {
        let sent = Sent { rows: &rows, kinds: kinds.clone(), seen: Mutex::default() };
        let fitted = |rows: &dyn RowSource| format!("{:?}", inference::fit(rows, &noise, &Options::default()));
        assert_eq!(fitted(&sent), fitted(&rows));
        seen.extend(sent.seen.into_inner().unwrap());
    }
    for absorbed in [1, 2] {
        let rows = Units::ordinary(false).absorbing(absorbed);
        let sent = Sent { rows: &rows, kinds: kinds.clone(), seen: Mutex::default() };
        for vcov in ["classical", "hc1", "cluster:g"] {
            let options = Options { vcov: vcov.parse().unwrap(), ..Options::default() };
            let fitted = |rows: &dyn RowSource| inference::fit(rows, &[Noise::Gaussian], &options).unwrap();
            assert_eq!(fitted(&sent), fitted(&rows));
        }
        for noise in ["huber", "logistic", "student-t", "student-t:6"] {
            let noise: Noises = noise.parse().unwrap();
            let fitted = |rows: &dyn RowSource| format!("{:?}", inference::fit(rows, &noise, &Options::default()));
            assert_eq!(fitted(&sent), fitted(&rows));
        }
        let levels = rows.layout().effects[0].levels;
        let category = CodedCategory { first: 0, levels, omitted: Some(0) };
        for vcov in ["sandwich", "cluster:g"] {
            let options = Options { vcov: vcov.parse().unwrap(), ..Options::default() };
            let fitted = |rows: &dyn RowSource| format!("{:?}", inference::fit(rows, &[Noise::Logistic], &options));
            assert_eq!(fitted(&sent), fitted(&rows));
        }
        for vcov in ["classical", "hc3", "cluster:g"] {
            let options = Options { vcov: vcov.parse().unwrap(), ..Options::default() };
            let fitted =
                |rows: &dyn RowSource| format!("{:?}", inference::fit_coded(rows, Noise::Gaussian, category, &options));
            assert_eq!(fitted(&sent), fitted(&rows));
        }
        seen.extend(sent.seen.into_inner().unwrap());
    }
    let rows = Units::ordinary(false);
    let sent = Sent { rows: &rows, kinds: kinds.clone(), seen: Mutex::default() };
    let tested = |rows: &dyn RowSource| {
        let options = Options::default();
        let fit = inference::fit(rows, &[Noise::Gaussian], &options).unwrap().remove(0);
        let (names, slope) = (Names::of(&fit, &[]), format!("{} = 1", fit.location.rows[1].term));
        let found = likelihood_ratio(rows, &fit, &names, &[slope], Adjust::None, &options.estimation()).unwrap();
        format!("{found:?}")
    };
    assert_eq!(tested(&sent), tested(&rows));
    let compared = |rows: &dyn RowSource| {
        let models: Contestants = "linear,linear:laplace,linear:quantiles".parse().unwrap();
        let plan = noisefit_core::network::Plan::default();
        let plans = Plans { fit: Options::default(), networks: [plan.clone(), plan] };
        let division = Division::of_groups(rows, 0, Order::Random { seed: 1 }, 2).unwrap();
        let mut found = side_by_side(rows, &models.0, &division, &plans, &()).unwrap();
        found.without_times();
        format!("{found:?}")
    };
    assert_eq!(compared(&sent), compared(&rows));
    seen.extend(sent.seen.into_inner().unwrap());
    // Nothing is listed that nothing runs.
    let unseen: Vec<&str> =
        kinds.names().filter(|name| !name.contains("(") && !seen.iter().any(|kind| kind.contains(name))).collect();
    assert_eq!(unseen, Vec::<&str>::new());
}

/// Why bytes are refused.
fn refused<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::State(why)) => why,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("taken"),
    }
}

#[test]
fn bytes_that_are_not_of_the_pass_are_refused_by_name() {
    let kinds = noisefit_core::kinds();
    let empty = Moments::new(2, true);
    let rows = Units::ordinary(false);
    let state = rows.pass(empty.clone()).unwrap();
    let pass: &dyn Pass = &empty;
    let (bytes, saved) = (pass.to_bytes().unwrap(), empty.save(&state).unwrap());

    // The pass, and its state.
    assert_eq!(kinds.pass_from_bytes(&bytes).unwrap().kind(), "moments");
    let loaded = empty.load(&saved).unwrap();
    assert_eq!((Accumulator::rows(&loaded), empty.save(&loaded).unwrap()), (48, saved.clone()));
    assert_eq!(refused(kinds.pass_from_bytes(&saved)), "it is a state of the pass 'moments', not the pass");
    assert_eq!(refused(empty.load(&bytes)), "it is the pass 'moments' itself, not a state of it");

    // Every byte counts, and each that is missing.
    for place in 0..saved.len() {
        let mut damaged = saved.clone();
        damaged[place] ^= 0x10;
        refused(empty.load(&damaged));
        assert_eq!(refused(empty.load(&saved[..place])), "it ends too early");
    }
    let damaged = [&saved[..saved.len() - 1], &[saved[saved.len() - 1] ^ 1]].concat();
    assert_eq!(refused(empty.load(&damaged)), "it is damaged");
    assert_eq!(refused(empty.load(&[&saved[..], b"more"].concat())), "4 bytes too many");
    assert_eq!(refused(empty.load(b"something else altogether")), "it does not begin as one");
    let older = [&saved[..8], &1u32.to_le_bytes(), &saved[12..]].concat();
    assert_eq!(refused(empty.load(&older)), "version 1, this program reads version 2");

    // Other passes.
    assert_eq!(refused(Moments::new(2, false).load(&saved)), "it belongs to a 'moments' pass with other parameters");
    let narrow = Subset::of(&rows, vec![0]);
    let pair = (Moments::new(1, true), vec![Moments::new(1, false)]);
    assert!(narrow.pass(pair).is_ok());
    let unknown: &dyn Pass = &Unlisted(0);
    assert_eq!(
        refused(kinds.pass_from_bytes(&unknown.to_bytes().unwrap())),
        "no pass of the kind 'unlisted' is known here"
    );
    assert!(kinds.clone().with::<Unlisted>().pass_from_bytes(&unknown.to_bytes().unwrap()).is_ok());
    let twice = kinds.with::<Namesake>();
    assert_eq!(refused(twice.pass_from_bytes(&bytes)), "several kinds of passes are called 'moments'");
    let other: &dyn Pass = &Unlisted(0);
    assert_eq!(
        refused(empty.load(&other.state_to_bytes(&Unlisted(7)).unwrap())),
        "it is of the pass 'unlisted', not 'moments'"
    );
    let begun: &dyn Pass = &Unlisted(7);
    let listed = noisefit_core::kinds().with::<Unlisted>();
    assert_eq!(
        refused(listed.pass_from_bytes(&begun.to_bytes().unwrap())),
        "it is to be run, and has seen 7 rows already"
    );
}

/// Counts rows, and is in no list.
#[derive(Clone, Serialize, Deserialize)]
struct Unlisted(u64);

impl Accumulator for Unlisted {
    const KIND: &'static str = "unlisted";
    fn fold(&mut self, block: &Block<'_>) {
        self.0 += block.rows() as u64;
    }
    fn merge(&mut self, later: Self) {
        self.0 += later.0;
    }
    fn rows(&self) -> u64 {
        self.0
    }
}

/// Has the name of another.
#[derive(Clone, Serialize, Deserialize)]
struct Namesake(u64);

impl Accumulator for Namesake {
    const KIND: &'static str = "moments";
    fn fold(&mut self, _: &Block<'_>) {}
    fn merge(&mut self, _: Self) {}
    fn rows(&self) -> u64 {
        self.0
    }
}
