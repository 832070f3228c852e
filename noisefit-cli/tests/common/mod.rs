//! Running the program, and reading what it prints.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// How a run ended.
pub struct Run {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A folder that is removed in the end, from within which the program is run.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The names of its files.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_noisefit"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command
    }

    /// A program that heeds signals, even where whoever runs the tests ignores them, as a shell does in the background.
    pub fn heeding_signals(&self, arguments: &[&str]) -> Command {
        if cfg!(not(target_os = "linux")) {
            return self.command(arguments);
        }
        let mut command = Command::new("env");
        command.args(["--default-signal=INT,TERM,HUP", env!("CARGO_BIN_EXE_noisefit")]).args(arguments);
        command.current_dir(self.path()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        finished(self.command(arguments))
    }

    /// Runs and expects success.
    pub fn done(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
        run.stdout
    }

    /// `noisefit fit ... --format json`, expecting success.
    pub fn fit(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.done(&[&["fit", "--format", "json"], arguments].concat())).unwrap()
    }

    /// Runs, expects failure with `code`, and gives the message without the program's name.
    pub fn refusal(&self, code: i32, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, code, "{arguments:?}: {}{}", run.stdout, run.stderr);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
        run.stderr.trim_end().strip_prefix("noisefit:").unwrap_or(&run.stderr).trim_start_matches(' ').to_owned()
    }
}

/// Runs a command to its end.
pub fn finished(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file of `testdata/`.
pub fn testdata(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "testdata", name].iter().collect();
    path.display().to_string()
}

/// A JSON file of `testdata/`.
pub fn reference(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(testdata(name)).unwrap()).unwrap()
}

/// A number, also where the reference writes it as text with more digits than a double has.
pub fn number(value: &Value) -> f64 {
    match value {
        Value::String(digits) => digits.parse().unwrap(),
        value => value.as_f64().unwrap_or_else(|| panic!("{value} is not a number")),
    }
}

/// The estimates of a fit, in the order of its terms; none for aliased terms.
pub fn estimates(fit: &Value) -> Vec<Option<f64>> {
    column(fit, "estimate")
}

/// A column of the coefficient table.
pub fn column(fit: &Value, name: &str) -> Vec<Option<f64>> {
    fit["coefficients"].as_array().unwrap().iter().map(|row| row[name].as_f64()).collect()
}

/// Asserts `|found - expected| <= tolerance * |expected|`.
#[track_caller]
pub fn assert_close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs().max(f64::MIN_POSITIVE);
    assert!(
        error <= tolerance || found == expected,
        "{what}: {found:?}, not {expected:?} (relative error {error:.1e})"
    );
}

/// Stored blocks: what compressed files may hold instead of compressed ones (RFC 1952 and 1951). For texts under 64 kB.
pub fn gzip(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    bytes.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
    bytes.extend(text.as_bytes());
    bytes.extend([crc32(text.as_bytes()), u32::from(length)].map(u32::to_le_bytes).concat());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), bit))
}

/// The same for Zstandard (RFC 8878): one raw block in a frame that tells its size in four bytes.
pub fn zstd(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap();
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    bytes.extend(length.to_le_bytes());
    bytes.extend(&((length << 3) | 1).to_le_bytes()[..3]);
    bytes.extend(text.as_bytes());
    bytes
}

/// The rows of a CSV text without quotes, the header apart.
pub fn csv(text: &str) -> (Vec<&str>, Vec<Vec<&str>>) {
    let mut lines = text.lines().map(|line| line.split(',').collect());
    (lines.next().unwrap(), lines.collect())
}
