//! The corpus of the fuzzer, replayed: what it found once is not to come again, whatever machine the tests run on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

#[path = "../../fuzz/src/targets.rs"]
#[allow(dead_code, reason = "some of it is for the fuzzer alone")]
mod targets;

#[path = "../../fuzz/src/mutate.rs"]
mod mutate;

#[test]
fn the_corpus_of_every_target_is_replayed() {
    let corpus: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "fuzz", "corpus"].iter().collect();
    for (name, target) in targets::TARGETS {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 5, "{name} has hardly a seed");
        for file in files {
            // A panic names the file.
            println!("{}", file.display());
            target(&std::fs::read(&file).unwrap());
        }
    }
}

/// Every cut and many changed bytes of some files of each kind: what the fuzzer does first, in seconds.
#[test]
fn damaged_seeds_are_refused_or_read() {
    let corpus: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "fuzz", "corpus"].iter().collect();
    let mut tried = 0;
    for (name, target) in targets::TARGETS {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        // Those that train and fit are slow.
        let (count, places) = match name {
            "checkpoint" => (1, 20),
            "fit_tiny" => (4, 12),
            _ => (4, 40),
        };
        for file in files.iter().take(count) {
            let bytes = std::fs::read(file).unwrap();
            for place in (0..bytes.len()).step_by((bytes.len() / places).max(1)) {
                target(&bytes[..place]);
                for value in [0, 0x7f, 0xff, bytes[place] ^ 1] {
                    let mut damaged = bytes.clone();
                    damaged[place] = value;
                    target(&damaged);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}

/// Mutations that know Parquet and Arrow change a number of the file, leave the rest, and are refused or read.
#[test]
fn changed_numbers_of_binary_files_are_refused_or_read() {
    let corpus: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "fuzz", "corpus", "binary"].iter().collect();
    for name in ["types_parquet", "types_arrow"] {
        let bytes = std::fs::read(corpus.join(name)).unwrap();
        let mut others = std::collections::BTreeSet::new();
        for seed in 1..300 {
            let Some(changed) = mutate::binary(&bytes[1..], seed) else { continue };
            if name == "types_parquet" {
                let footer = |bytes: &[u8]| {
                    let end = bytes.len() - 8;
                    end - u32::from_le_bytes(bytes[end..end + 4].try_into().unwrap()) as usize
                };
                let start = footer(&bytes[1..]);
                assert_eq!(footer(&changed), start, "the length of the footer is put right");
                assert_eq!(changed[..start], bytes[1..=start]);
            } else {
                assert_eq!(changed.len(), bytes.len() - 1);
            }
            targets::binary(&[&bytes[..1], &changed[..]].concat());
            others.insert(changed);
        }
        assert!(others.len() > 100, "{name}: {} files", others.len());
    }
}
