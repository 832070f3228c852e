//! The sets and their splits, as they lie in a folder.

use std::error::Error;
use std::path::Path;

/// The sets of the protocol.
pub const NAMES: [&str; 4] = ["concrete", "energy", "wine", "yacht"];

/// A set of rows, and which of them each split tests on.
pub struct Set {
    /// Row after row.
    pub inputs: Vec<Vec<f64>>,
    /// What is predicted, in its own units.
    pub response: Vec<f64>,
    /// Of every split the numbers of its test rows; all others are its training rows.
    pub tests: Vec<Vec<usize>>,
}

impl Set {
    /// Reads `NAME/data.csv`, whose last column is the response, and `NAME/test_indices.csv`, a line a split.
    pub fn read(folder: &Path, name: &str) -> Result<Set, Box<dyn Error>> {
        let text = |file: &str| {
            let path = folder.join(name).join(file);
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
        };
        let (mut inputs, mut response) = (Vec::new(), Vec::new());
        for line in text("data.csv")?.lines().skip(1) {
            let mut row = line.split(',').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
            response.push(row.pop().ok_or("a row without columns")?);
            inputs.push(row);
        }
        let numbers = |line: &str| line.split(',').map(|text| text.trim().parse()).collect::<Result<Vec<usize>, _>>();
        let tests = text("test_indices.csv")?.lines().map(numbers).collect::<Result<Vec<_>, _>>()?;
        match tests.iter().flatten().find(|row| **row >= response.len()) {
            Some(row) => Err(format!("{name}: test row {row} is not among the {} rows", response.len()).into()),
            None => Ok(Set { inputs, response, tests }),
        }
    }

    /// The training rows of a split.
    pub fn training(&self, split: usize) -> Vec<usize> {
        let mut is_test = vec![false; self.response.len()];
        self.tests[split].iter().for_each(|&row| is_test[row] = true);
        (0..is_test.len()).filter(|&row| !is_test[row]).collect()
    }
}

/// A number that `seed` and `number` scatter (splitmix64: Steele, Lea and Flood 2014, *OOPSLA*, 453-472).
pub fn scattered(seed: u64, number: u64) -> u64 {
    let word = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
