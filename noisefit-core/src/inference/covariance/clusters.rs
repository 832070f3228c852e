//! Scores that are dependent within clusters of rows: only their sums over clusters count.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::gram::{Columns, TILE_ROWS};
use crate::inference::covariance::products::{Clustered, Found, Products};
use crate::rows::{BLOCK_ROWS, scattered};

/// Sums of scores by one grouping of the rows, or by each of two and by both at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Clusters {
    groupings: Vec<Grouping>,
}

/// A cluster: its number in each of the groupings that it is one of, else zero.
pub(super) type Key = [u64; 2];

/// Sums of scores by cluster, in the order in which clusters appear.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Sums", into = "Sums")]
pub(super) struct Grouping {
    /// Which of the block's groupings it goes by.
    by: Vec<usize>,
    count: usize,
    places: HashMap<Key, usize, BuildHasherDefault<KeyHasher>>,
    keys: Vec<Key>,
    /// `count` sums for each cluster.
    sums: Vec<f64>,
}

impl Clusters {
    /// Of `groupings` (one or two) and scores of `count` numbers.
    pub(super) fn new(groupings: usize, count: usize) -> Self {
        let by: &[&[usize]] = if groupings < 2 { &[&[0]] } else { &[&[0], &[1], &[0, 1]] };
        Clusters { groupings: by.iter().map(|by| Grouping::new(by, count)).collect() }
    }

    pub(super) fn add(&mut self, scores: &Columns, clusters: &[&[u64]], rows: usize) {
        self.groupings.iter_mut().for_each(|grouping| grouping.add(scores, clusters, rows));
    }

    pub(super) fn merge(&mut self, later: &Self) {
        self.groupings.iter_mut().zip(&later.groupings).for_each(|(mine, theirs)| mine.merge(theirs));
    }

    /// `G / (G - 1) sum over clusters of S S'` for the sums `S` of `G` clusters; for two groupings that of the one and the
    /// other less that of their intersections (Cameron, Gelbach and Miller 2011, *Journal of Business & Economic Statistics*
    /// 29, 238-249).
    pub(super) fn finish(&self) -> Result<Found, Error> {
        let mut matrix = Products::new(self.groupings.first().map_or(0, |grouping| grouping.count)).matrix;
        for (k, grouping) in self.groupings.iter().enumerate() {
            let sign = if k < 2 { 1.0 } else { -1.0 };
            let clusters = grouping.keys.len() as f64;
            if clusters < 2.0 {
                return Err(Error::Unsupported(format!(
                    "the {} cluster column has the same value in every row, and standard errors need two clusters or more; \
                     name a column with more values, or use hc3 or sandwich",
                    if k == 0 { "first" } else { "second" }
                )));
            }
            let factor = sign * clusters / (clusters - 1.0);
            let products = grouping.products();
            matrix.iter_mut().zip(products).for_each(|(sum, product)| *sum += factor * product);
        }
        let least = self.groupings.iter().take(2).map(|grouping| grouping.keys.len() as u64).min();
        Ok(Found { matrix, clusters: least.map(Clustered::Summed), difference: self.groupings.len() > 1 })
    }
}

impl Grouping {
    /// The empty one by some of the groupings of blocks, of scores of `count` numbers.
    pub(super) fn new(by: &[usize], count: usize) -> Self {
        Grouping { by: by.to_vec(), count, places: HashMap::default(), keys: Vec::new(), sums: Vec::new() }
    }

    /// The clusters in the order in which they appeared, and the sums of each, one cluster's after the other's.
    pub(super) fn found(&self) -> (&[Key], &[f64]) {
        (&self.keys, &self.sums)
    }

    /// Where the cluster is, which may be new.
    fn place(&mut self, key: Key) -> usize {
        *self.places.entry(key).or_insert_with(|| {
            self.keys.push(key);
            self.sums.resize(self.keys.len() * self.count, 0.0);
            self.keys.len() - 1
        })
    }

    pub(super) fn add(&mut self, scores: &Columns, clusters: &[&[u64]], rows: usize) {
        let mut last = None;
        for i in 0..rows {
            let mut key = [0; 2];
            for (word, &grouping) in key.iter_mut().zip(&self.by) {
                *word = clusters.get(grouping).map_or(0, |ids| ids[i]);
            }
            // Rows of a cluster often stand together.
            let place = match last {
                Some((known, place)) if known == key => place,
                _ => self.place(key),
            };
            last = Some((key, place));
            let (tile, row) = (i / TILE_ROWS, i % TILE_ROWS);
            for (j, sum) in self.sums[place * self.count..][..self.count].iter_mut().enumerate() {
                *sum += scores.tile(tile, j)[row];
            }
        }
    }

    pub(super) fn merge(&mut self, later: &Self) {
        for (&key, sums) in later.keys.iter().zip(later.sums.chunks_exact(self.count.max(1))) {
            let place = self.place(key);
            let mine = &mut self.sums[place * self.count..][..self.count];
            mine.iter_mut().zip(sums).for_each(|(mine, theirs)| *mine += theirs);
        }
    }

    /// `sum over clusters of S S'`.
    fn products(&self) -> Vec<f64> {
        let (mut products, mut columns) = (Products::new(self.count), Columns::default());
        for part in self.sums.chunks(BLOCK_ROWS * self.count.max(1)) {
            columns.resize(self.count, part.len() / self.count);
            for (i, sums) in part.chunks_exact(self.count).enumerate() {
                for (j, &sum) in sums.iter().enumerate() {
                    columns.tile_mut(i / TILE_ROWS, j)[i % TILE_ROWS] = sum;
                }
            }
            products.add(&columns);
        }
        products.matrix
    }
}

/// A grouping without the index of its clusters.
#[derive(Serialize, Deserialize)]
struct Sums {
    by: Vec<usize>,
    count: usize,
    keys: Vec<Key>,
    sums: Vec<f64>,
}

impl From<Grouping> for Sums {
    fn from(Grouping { by, count, keys, sums, .. }: Grouping) -> Self {
        Sums { by, count, keys, sums }
    }
}

impl From<Sums> for Grouping {
    fn from(Sums { by, count, keys, sums }: Sums) -> Self {
        let places = keys.iter().enumerate().map(|(place, &key)| (key, place)).collect();
        Grouping { by, count, places, keys, sums }
    }
}

/// A hash of keys that are made of 64 bits already.
#[derive(Debug, Clone, Copy, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let word = part.iter().rev().fold(0, |word, &byte| (word << 8) | u64::from(byte));
            self.0 = scattered(self.0, word);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = scattered(self.0, word);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
