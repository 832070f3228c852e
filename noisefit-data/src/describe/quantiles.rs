//! Quantiles in one pass: exact for few values, within a known error of rank for many.

/// Quantiles of a column of up to this many finite values are exact.
pub const EXACT_QUANTILES: usize = 1 << 15;

/// Values kept on each level above the first: the error of rank is about `log2(n / KEPT) / KEPT` in proportion.
const KEPT: usize = 1 << 12;

/// A sample of numbers from which quantiles are taken.
///
/// Values wait in buffers, one a level; a value on level `l` stands for `2^l` of the values that were pushed. A buffer that
/// is full is compacted: sorted, and of each two neighbours one moves a level up to stand for both. That moves the rank of
/// any number by at most `2^l`, once a compaction, and so the largest error of rank is known: the sum of these.
///
/// This is the hierarchy of Karnin, Lang and Liberty 2016, *Optimal quantile approximation in streams*, with merging as
/// in Agarwal, Cormode, Huang, Phillips, Wei and Yi 2013, *Mergeable summaries*. Theirs toss a coin for which of the two
/// neighbours moves up; here they take turns, so that the same data give the same quantiles.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Sample {
    levels: Vec<Level>,
}

#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
struct Level {
    /// [`key`]s of the values.
    keys: Vec<i64>,
    compactions: u64,
}

impl Sample {
    /// Adds values, which are not NaN.
    pub fn extend(&mut self, values: &[f64]) {
        let mut rest = values;
        while !rest.is_empty() {
            let level = self.level(0);
            let (now, later) = rest.split_at(rest.len().min(EXACT_QUANTILES.saturating_sub(level.keys.len()).max(1)));
            level.keys.extend(now.iter().map(|&value| key(value)));
            rest = later;
            if level.keys.len() > EXACT_QUANTILES {
                self.compact();
            }
        }
    }

    /// Adds another sample's values.
    pub fn merge(&mut self, other: Sample) {
        for (number, level) in other.levels.into_iter().enumerate() {
            let into = self.level(number);
            into.keys.extend_from_slice(&level.keys);
            into.compactions += level.compactions;
        }
        self.compact();
    }

    fn level(&mut self, number: usize) -> &mut Level {
        if self.levels.len() <= number {
            self.levels.resize_with(number + 1, Level::default);
        }
        &mut self.levels[number]
    }

    /// Compacts every level that is over its size, from below.
    fn compact(&mut self) {
        let mut number = 0;
        while let Some(level) = self.levels.get_mut(number) {
            if level.keys.len() > if number == 0 { EXACT_QUANTILES } else { KEPT } {
                // The first level is in the order of the data; those above are sorted runs, to be merged.
                if number == 0 {
                    level.keys.sort_unstable()
                } else {
                    level.keys.sort()
                }
                let promoted = level.halve();
                self.level(number + 1).keys.extend(promoted);
            }
            number += 1;
        }
    }

    /// The largest possible error of rank, as a share of the number of values; 0 where quantiles are exact.
    pub fn rank_error(&self) -> f64 {
        let (mut error, mut count) = (0.0, 0.0);
        for (number, level) in self.levels.iter().enumerate() {
            let weight = 2f64.powi(number as i32);
            error += level.compactions as f64 * weight;
            count += level.keys.len() as f64 * weight;
        }
        if error > 0.0 { error / count } else { 0.0 }
    }

    /// The quantiles at the given probabilities; none of no values.
    ///
    /// Of the sorted values `x[0..n]`, that at `p` lies `(n - 1) p` of the way along: R's type 7, with linear
    /// interpolation between neighbours (Hyndman and Fan 1996, *Sample quantiles in statistical packages*).
    pub fn quantiles<const N: usize>(&self, probabilities: [f64; N]) -> Option<[f64; N]> {
        self.quantiles_at(&probabilities)?.try_into().ok()
    }

    /// The distinct values in increasing order; none where not all of them were kept.
    pub fn distinct(&self) -> Option<Vec<f64>> {
        let [level] = &self.levels[..] else { return None };
        let mut keys = level.keys.clone();
        keys.sort_unstable();
        keys.dedup();
        Some(keys.into_iter().map(value).collect())
    }

    /// The values that were kept.
    pub fn values(&self) -> Vec<f64> {
        self.levels.iter().flat_map(|level| level.keys.iter().map(|&key| value(key))).collect()
    }

    /// [`Sample::quantiles`] at any number of probabilities.
    pub fn quantiles_at(&self, probabilities: &[f64]) -> Option<Vec<f64>> {
        let mut weighted: Vec<(i64, u64)> = Vec::new();
        for (number, level) in self.levels.iter().enumerate() {
            weighted.extend(level.keys.iter().map(|&key| (key, 1 << number)));
        }
        weighted.sort_unstable();
        // From here on the second number is how many values there are up to and with this one.
        let mut count = 0;
        for (_, upto) in &mut weighted {
            count += *upto;
            *upto = count;
        }
        let at = |rank: u64| {
            let place = weighted.partition_point(|&(_, upto)| upto <= rank);
            weighted.get(place).map(|&(key, _)| value(key))
        };
        let quantile = |probability: f64| {
            let place = count.checked_sub(1)? as f64 * probability;
            let (rank, share) = (place.floor() as u64, place.fract());
            let (below, above) = (at(rank)?, at((rank + 1).min(count - 1))?);
            Some(if below == above { below } else { (1.0 - share) * below + share * above })
        };
        probabilities.iter().map(|&probability| quantile(probability)).collect()
    }
}

impl Level {
    /// Of each two neighbours of the sorted level one, by turns the smaller and the larger ones, to stand a level up. A
    /// value without a neighbour stays.
    fn halve(&mut self) -> Vec<i64> {
        let odd = (self.compactions % 2) as usize;
        let single = if self.keys.len() % 2 == 1 { self.keys.pop() } else { None };
        let promoted = self.keys.iter().skip(odd).step_by(2).copied().collect();
        self.keys.clear();
        self.keys.extend(single);
        self.compactions += 1;
        promoted
    }
}

/// An integer that is ordered as the numbers are, and is sorted without a branch; both zeros have the same.
fn key(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The number of a [`key`].
fn value(key: i64) -> f64 {
    f64::from_bits((key ^ (((key >> 63) as u64) >> 1) as i64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBABILITIES: [f64; 7] = [0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999];

    /// Uniform numbers in (0, 1): multiples of the golden ratio (Weyl's sequence), shuffled by a multiplicative hash.
    fn uniforms(count: u64) -> impl Iterator<Item = f64> {
        (0..count).map(|i| {
            let z = (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 12) as f64 / (1u64 << 52) as f64 + f64::EPSILON
        })
    }

    fn sample(values: &[f64], units: usize) -> Sample {
        values.chunks(units).fold(Sample::default(), |mut sample, unit| {
            let mut state = Sample::default();
            // As frames arrive: some at a time.
            unit.chunks(5_000).for_each(|frame| state.extend(frame));
            sample.merge(state);
            sample
        })
    }

    #[test]
    fn keys_are_ordered_as_their_numbers() {
        let values = [f64::MIN, -1.0, -f64::MIN_POSITIVE, -5e-324, 0.0, 5e-324, 0.1, 1.0, f64::MAX];
        for pair in values.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
        }
        assert!(values.iter().all(|&number| value(key(number)) == number));
        assert_eq!(key(-0.0), key(0.0));
    }

    /// `quantile(c(2.5, 1, 10, 7), c(0, 0.25, 0.5, 0.75, 1))` of R, by hand: 1 + 0.75 1.5, (2.5 + 7) / 2, 7 + 0.25 3.
    #[test]
    fn few_values_have_the_quantiles_of_type_7() {
        let mut sample = Sample::default();
        assert_eq!(sample.quantiles([0.5]), None);
        sample.extend(&[2.5, 1.0]);
        sample.extend(&[10.0, 7.0]);
        assert_eq!(sample.quantiles([0.0, 0.25, 0.5, 0.75, 1.0]), Some([1.0, 2.125, 4.75, 7.75, 10.0]));
        assert_eq!(sample.rank_error(), 0.0);
    }

    #[test]
    fn quantiles_are_exact_up_to_the_limit_and_not_promised_beyond() {
        let values: Vec<f64> = (0..EXACT_QUANTILES).rev().map(|i| i as f64).collect();
        let mut sample = sample(&values, 10_000);
        let exact = PROBABILITIES.map(|p| (EXACT_QUANTILES - 1) as f64 * p);
        assert_eq!((sample.quantiles(PROBABILITIES), sample.rank_error()), (Some(exact), 0.0));
        sample.extend(&[0.5]);
        assert!(sample.rank_error() > 0.0);
    }

    /// Of every sample: the share of values that a quantile exceeds is within the promised error of its probability.
    #[test]
    fn ranks_are_within_the_promised_error_on_any_distribution_and_order() {
        const COUNT: u64 = 300_000;
        let uniform: Vec<f64> = uniforms(COUNT).collect();
        let sorted: Vec<f64> = (0..COUNT).map(|i| i as f64).collect();
        let reversed: Vec<f64> = sorted.iter().rev().copied().collect();
        let cauchy: Vec<f64> = uniform.iter().map(|u| (std::f64::consts::PI * (u - 0.5)).tan()).collect();
        let exponential: Vec<f64> = uniform.iter().map(|u| -u.ln()).collect();
        let huge: Vec<f64> = uniform.iter().map(|u| 10f64.powf(600.0 * (u - 0.5))).collect();
        let few: Vec<f64> = uniform.iter().map(|u| (10.0 * u).floor()).collect();
        let saw: Vec<f64> = (0..COUNT).map(|i| (i % 1000) as f64).collect();
        for (name, values) in [
            ("uniform", &uniform),
            ("sorted", &sorted),
            ("reversed", &reversed),
            ("cauchy", &cauchy),
            ("exponential", &exponential),
            ("huge", &huge),
            ("few", &few),
            ("saw", &saw),
        ] {
            let mut ordered = values.clone();
            ordered.sort_by(f64::total_cmp);
            for units in [COUNT as usize, 40_000, 1_111] {
                let sample = sample(values, units);
                let error = sample.rank_error();
                assert!(error > 0.0 && error < 0.003, "{name}, units of {units}: {error}");
                let found = sample.quantiles(PROBABILITIES).unwrap_or([f64::NAN; 7]);
                for (probability, quantile) in PROBABILITIES.into_iter().zip(found) {
                    let below = ordered.partition_point(|&value| value < quantile) as f64 / COUNT as f64;
                    let upto = ordered.partition_point(|&value| value <= quantile) as f64 / COUNT as f64;
                    // One rank more, for the interpolation between neighbours.
                    let allowed = error + 1.0 / COUNT as f64;
                    assert!(
                        below <= probability + allowed && upto >= probability - allowed,
                        "{name}, units of {units}: {probability} found at {below} to {upto}"
                    );
                }
            }
        }
    }

    #[test]
    fn memory_stays_small() {
        let mut sample = Sample::default();
        for block in 0..200 {
            let values: Vec<f64> = (0..20_000).map(|i| f64::from((i * 7919 + block) % 20_011)).collect();
            sample.extend(&values);
        }
        let kept: usize = sample.levels.iter().map(|level| level.keys.len()).sum();
        assert!(kept <= EXACT_QUANTILES + KEPT * sample.levels.len() && sample.levels.len() < 12, "{kept}");
        assert!(sample.rank_error() < 0.003);
    }
}
