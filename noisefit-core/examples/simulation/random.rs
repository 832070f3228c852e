//! Random numbers that are the same in every run.

use noisefit_core::noise::NoiseFamily;

/// A stream of numbers (splitmix64: Steele, Lea and Flood 2014, *OOPSLA*, 453-472).
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of one replication of one experiment.
    pub fn new(experiment: u64, replication: u64) -> Self {
        let mut random = Random { state: experiment.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ (replication << 20) };
        random.word();
        random
    }

    fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Uniform on (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.word() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// A draw of a family at scale 1.
    pub fn draw(&mut self, family: &dyn NoiseFamily) -> f64 {
        family.sample(self.uniform())
    }
}
