//! The texts that the codes of a category stand for, and what is made of them over and over.

use std::hash::Hasher;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use noisefit_core::rows::split_mix;

/// Texts by their places, shared by the frames whose codes are of them.
///
/// Every pass asks for the places of a frame's texts among the levels of a model: they are looked up once, for as long as there are frames
/// with these texts.
///
/// ```
/// use noisefit_data::frame::Texts;
///
/// let texts: Texts = ["Rome".to_owned(), "Paris".to_owned()].into();
/// assert_eq!((texts.len(), &*texts[1]), (2, "Paris"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Texts(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    texts: Box<[String]>,
    places: Mutex<Vec<Known>>,
    hashes: OnceLock<Arc<[u64]>>,
}

/// Places that somebody made of the texts.
#[derive(Debug)]
struct Known {
    by: (u64, u32),
    places: Arc<[u32]>,
}

/// As many as a model has categories of one column, and a few models.
const MOST_KNOWN: usize = 8;

impl Texts {
    /// For each text what `make` makes of it; the same for whoever asks by the same numbers.
    pub(crate) fn places(&self, by: (u64, u32), make: impl Fn(&str) -> u32) -> Arc<[u32]> {
        // Held while they are made: whoever wants them, too, waits rather than makes them again.
        let mut all = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|known| known.by == by) {
            return Arc::clone(&known.places);
        }
        let places: Arc<[u32]> = self.iter().map(|text| make(text)).collect();
        if all.len() == MOST_KNOWN {
            all.remove(0);
        }
        all.push(Known { by, places: Arc::clone(&places) });
        places
    }

    /// For each text a number that tells it from others, as `hash` makes it.
    pub(crate) fn hashes(&self, hash: impl Fn(&String) -> u64) -> Arc<[u64]> {
        Arc::clone(self.0.hashes.get_or_init(|| self.iter().map(hash).collect()))
    }

    /// The bytes that they occupy, a frame's share of those that several have.
    pub(crate) fn size_in_bytes(&self) -> usize {
        let texts: usize = self.iter().map(|text| size_of::<String>() + text.len()).sum();
        texts / Arc::strong_count(&self.0)
    }
}

impl Deref for Texts {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0.texts
    }
}

impl From<Vec<String>> for Texts {
    fn from(texts: Vec<String>) -> Self {
        Texts(Arc::new(Shared { texts: texts.into(), ..Shared::default() }))
    }
}

impl<const COUNT: usize> From<[String; COUNT]> for Texts {
    fn from(texts: [String; COUNT]) -> Self {
        Vec::from(texts).into()
    }
}

/// A hash of some bytes, eight at a time.
pub(crate) fn hash_of_bytes(bytes: &[u8]) -> u64 {
    let word = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    };
    bytes.chunks(8).fold(bytes.len() as u64, |hash, bytes| split_mix(hash ^ word(bytes)))
}

/// The hasher of maps whose keys are texts.
#[derive(Debug, Default)]
pub(crate) struct TextHasher(u64);

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= hash_of_bytes(bytes);
    }

    /// What ends a text.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_made_once_and_those_of_others_apart() {
        let texts: Texts = ["a", "b", "c"].map(str::to_owned).into();
        let shared = texts.clone();
        let code = |text: &str| text.as_bytes().first().map_or(0, |byte| u32::from(byte - b'a'));
        assert_eq!(*texts.places((1, 0), code), [0, 1, 2]);
        // What is known is not made again, by whoever has the texts.
        assert_eq!(*shared.places((1, 0), |_| 9), [0, 1, 2]);
        assert_eq!(*shared.places((1, 7), |_| 9), [9; 3]);
        assert_eq!(*texts.places((2, 0), |_| 8), [8; 3]);
        for other in 3..20 {
            assert_eq!(*texts.places((other, 0), |_| other as u32), [other as u32; 3]);
        }
        // What was not asked for in a while is made again.
        assert_eq!(*texts.places((1, 0), |_| 5), [5; 3]);
        assert_eq!(*texts.hashes(|text| text.len() as u64), [1; 3]);
    }

    #[test]
    fn the_size_is_shared() {
        let texts: Texts = vec!["x".repeat(100)].into();
        let whole = texts.size_in_bytes();
        assert!(whole >= 100);
        let other = texts.clone();
        assert_eq!(other.size_in_bytes(), whole / 2);
    }
}
