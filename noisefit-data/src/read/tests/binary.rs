use std::fs::File;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use arrow_array::types::Int32Type;
use arrow_array::*;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

use super::Cell::{Missing, Number};
use super::*;

/// One column of every type that is read, and two that are not.
fn batch() -> RecordBatch {
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)]), None, Some([Some(2)])]);
    let decimals =
        Decimal128Array::from(vec![Some(100_000_001), None, Some(-5)]).with_precision_and_scale(20, 1).unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("double", Arc::new(Float64Array::from(vec![Some(0.1), None, Some(f64::NAN)]))),
        ("single", Arc::new(Float32Array::from(vec![0.5, -1.5, f32::INFINITY]))),
        ("long", Arc::new(Int64Array::from(vec![Some(-7), Some(9_007_199_254_740_993), None]))),
        ("lists", Arc::new(lists)),
        ("byte", Arc::new(UInt8Array::from(vec![0, 255, 1]))),
        ("decimal", Arc::new(decimals)),
        ("text", Arc::new(StringArray::from(vec![Some("b"), None, Some("a")]))),
        ("long text", Arc::new(LargeStringArray::from(vec!["x", "y", "x"]))),
        ("view", Arc::new(StringViewArray::from(vec![Some("a text of more than twelve bytes"), Some(""), None]))),
        ("dictionary", Arc::new(DictionaryArray::<Int32Type>::from_iter([Some("u"), None, Some("u")]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("date", Arc::new(Date32Array::from(vec![Some(-1), Some(19_000), None]))),
        ("milliseconds", Arc::new(TimestampMillisecondArray::from(vec![Some(1_500), None, Some(-500)]))),
        (
            "nanoseconds",
            Arc::new(TimestampNanosecondArray::from(vec![1, 1_700_000_000_250_000_000, 0]).with_timezone("+02:00")),
        ),
        ("bytes", Arc::new(BinaryArray::from(vec![b"a" as &[u8], b"b", b"c"]))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

const KINDS: [Kind; 13] = [
    Kind::Number,
    Kind::Number,
    Kind::Number,
    Kind::Number,
    Kind::Number,
    Kind::Text,
    Kind::Text,
    Kind::Text,
    Kind::Text,
    Kind::Boolean,
    Kind::Date,
    Kind::Timestamp,
    Kind::Timestamp,
];

fn expected() -> Vec<Vec<Cell>> {
    let long = "a text of more than twelve bytes";
    let first =
        [Number(0.1), Number(0.5), Number(-7.0), Number(0.0), Number(10000000.1), text("b"), text("x"), text(long)];
    let second =
        [Missing, Number(-1.5), Number(9007199254740992.0), Number(255.0), Missing, Missing, text("y"), text("")];
    let third = [Missing, Number(f64::INFINITY), Missing, Number(1.0), Number(-0.5), text("a"), text("x"), Missing];
    let ends = [
        [text("u"), text("true"), Number(-1.0), Number(1.5), Number(1e-9)],
        [Missing, Missing, Number(19000.0), Missing, Number(1_700_000_000.25)],
        [text("u"), text("false"), Missing, Number(-0.5), Number(0.0)],
    ];
    [first, second, third].into_iter().zip(ends).map(|(row, end)| row.into_iter().chain(end).collect()).collect()
}

/// Writes batches to a file in the format of its name.
fn write(path: &Path, batches: &[RecordBatch], rows_a_group: usize) {
    let (file, schema) = (File::create(path).unwrap(), batches[0].schema());
    let packed = || IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap();
    match path.extension().unwrap().to_str().unwrap() {
        "parquet" => {
            let properties = WriterProperties::builder()
                .set_max_row_group_row_count(Some(rows_a_group))
                .set_compression(::parquet::basic::Compression::SNAPPY)
                .build();
            let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).unwrap();
            batches.iter().for_each(|batch| writer.write(batch).unwrap());
            writer.close().unwrap();
        }
        "arrow" => {
            let mut writer = FileWriter::try_new_with_options(file, &schema, packed()).unwrap();
            batches.iter().for_each(|batch| writer.write(batch).unwrap());
            writer.finish().unwrap();
        }
        _ => {
            let mut writer = StreamWriter::try_new_with_options(file, &schema, packed()).unwrap();
            batches.iter().for_each(|batch| writer.write(batch).unwrap());
            writer.finish().unwrap();
        }
    }
}

#[test]
fn every_type_of_every_format() {
    for name in ["x.parquet", "x.arrow", "x.arrows"] {
        let (_folder, path) = file(name, "");
        write(&path, &[batch()], 100);
        let data = open(&path).unwrap();
        assert_eq!(data.fields().iter().map(|field| field.kind).collect::<Vec<_>>(), KINDS, "{name}");
        let unread: Vec<&str> = data.unread().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(unread, ["lists", "bytes"]);
        assert_eq!(records(&data), expected(), "{name}");
        let (some, _) = records_of(&data, &[9, 3, 0]).unwrap();
        assert_eq!(
            some[0],
            [text("true"), Number(0.0), Number(0.1)],
            "{name}: columns come in the order they are asked for"
        );
        let (none, _) = records_of(&data, &[]).unwrap();
        assert_eq!(none.len(), 3, "{name}: records are counted without any column");
    }
}

#[test]
fn options_hold_for_typed_files_too() {
    let (_folder, path) = file("x.parquet", "");
    write(&path, &[batch()], 100);
    let missing = ["255", "u", "-7"].map(str::to_owned).to_vec();
    let as_text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let text_options = ReadOptions { missing, text: as_text(&["long", "flag", "decimal"]), ..options() };
    let data = Dataset::open(&[path.display().to_string()], &text_options).unwrap();
    let (found, _) = records_of(&data, &[2, 3, 8, 9, 4]).unwrap();
    assert_eq!(found[0], [Missing, Number(0.0), Missing, text("true"), text("10000000.1")]);
    assert_eq!(found[1], [text("9007199254740993"), Missing, Missing, Missing, Missing], "long keys keep their digits");
    let dates = ReadOptions { text: as_text(&["date"]), ..options() };
    let message = Dataset::open(&[path.display().to_string()], &dates).unwrap_err().to_string();
    assert!(
        message.ends_with("column `date` holds dates and cannot be read as text; Parquet has no text for them"),
        "{message}"
    );
}

/// More rows than a unit holds, in groups and batches of several sizes; row i holds i, and i mod 7 as text.
#[test]
fn units_and_threads_change_nothing() {
    let rows = 300_000;
    let numbers: Vec<f64> = (0..rows).map(f64::from).collect();
    let texts: Vec<String> = (0..rows).map(|row| (row % 7).to_string()).collect();
    let columns: Vec<(&str, ArrayRef)> =
        vec![("x", Arc::new(Float64Array::from(numbers))), ("k", Arc::new(StringArray::from(texts)))];
    let whole = RecordBatch::try_from_iter(columns).unwrap();
    let parts: Vec<RecordBatch> =
        (0..rows as usize).step_by(7001).map(|start| whole.slice(start, 7001.min(rows as usize - start))).collect();
    let folder = tempfile::tempdir().unwrap();
    for (name, batches, group) in [
        ("one.parquet", std::slice::from_ref(&whole), 1 << 30),
        ("many.parquet", &parts, 10_007),
        ("one.arrow", std::slice::from_ref(&whole), 0),
        ("many.arrow", &parts, 0),
        ("many.arrows", &parts, 0),
    ] {
        let path = folder.path().join(name);
        write(&path, batches, group);
        let mut of_one_thread = None;
        for threads in [1, 3] {
            let options = ReadOptions { threads, ..options() };
            let data = Dataset::open(&[path.display().to_string()], &options).unwrap();
            let mut next = 0;
            let mut origins = Vec::new();
            let frames = |frames: &mut Frames<'_>| frames.collect::<Result<Vec<_>, _>>();
            data.scan(&[1, 0], Decimals::Double, &(), frames, |origin, frames| {
                assert_eq!(origin.first_record, next);
                for frame in frames {
                    assert!(frame.rows <= 1 << 14);
                    let [Column::Category { codes, levels }, Column::Number { high, .. }] = &frame.columns[..] else {
                        panic!("{:?}", frame.columns)
                    };
                    for (code, value) in codes.iter().zip(high) {
                        assert_eq!(*value, next as f64);
                        assert_eq!(levels[*code as usize], (next % 7).to_string());
                        next += 1;
                    }
                }
                origins.push(origin);
                Ok(())
            })
            .unwrap();
            assert_eq!(next, rows as u64, "{name}");
            assert_eq!(
                *of_one_thread.get_or_insert_with(|| origins.clone()),
                origins,
                "{name}: units depend on threads"
            );
        }
        if name == "one.parquet" {
            assert!(of_one_thread.unwrap().len() > 1, "a large row group is several units");
        }
    }
}

#[test]
fn files_without_a_record() {
    for name in ["x.parquet", "x.arrow", "x.arrows"] {
        let (_folder, path) = file(name, "");
        write(&path, &[batch().slice(0, 0)], 100);
        let data = open(&path).unwrap();
        assert_eq!(data.fields().len(), KINDS.len());
        assert!(records(&data).is_empty(), "{name}");
    }
}

#[test]
fn truncated_files_are_named() {
    for (name, format) in [("x.parquet", "Parquet"), ("x.arrow", "an Arrow file"), ("x.arrows", "an Arrow stream")] {
        let (_folder, path) = file(name, "");
        write(&path, &[batch()], 100);
        let content = std::fs::read(&path).unwrap();
        for kept in [content.len() - 20, content.len() * 2 / 3, 100, 12] {
            std::fs::write(&path, &content[..kept]).unwrap();
            let outcome = open(&path).and_then(|data| records_of(&data, &[0, 1]));
            // A stream may end after any batch, so that only its end mark is missing.
            let Err(error) = outcome else { panic!("{name} reads with {kept} of {} bytes", content.len()) };
            let message = error.to_string();
            assert!(message.starts_with(&format!("{} cannot be read as {format}: ", path.display())), "{message}");
            assert!(message.ends_with("the file is truncated, damaged or of another format"), "{message}");
        }
    }
}

#[test]
fn schemas_that_differ_are_refused() {
    let (folder, first) = file("a.parquet", "");
    let second = folder.path().join("b.parquet");
    write(&first, &[batch().project(&[0, 6]).unwrap()], 100);
    let renamed: Vec<(&str, ArrayRef)> =
        vec![("double", Arc::clone(batch().column(6))), ("text", Arc::clone(batch().column(6)))];
    write(&second, &[RecordBatch::try_from_iter(renamed).unwrap()], 100);
    let message = open(folder.path()).unwrap_err().to_string();
    let difference = "its column `double` holds text, not numbers";
    assert_eq!(
        message,
        format!(
            "{} does not go with {}: {difference}; read them apart, or make them alike",
            second.display(),
            first.display()
        )
    );
}

#[test]
fn a_compressed_parquet_file_is_refused() {
    let (_folder, path) = file("x.parquet", "");
    write(&path, &[batch()], 100);
    let packed = zstd::encode_all(std::fs::read(&path).unwrap().as_slice(), 1).unwrap();
    std::fs::write(&path, packed).unwrap();
    let message = open(&path).unwrap_err().to_string();
    assert!(
        message.ends_with("the whole file is compressed; decompress it first (the format compresses by itself)"),
        "{message}"
    );
}

/// Bytes of a file overwritten anywhere: whatever is read of it, nothing panics.
#[test]
fn damaged_files_are_errors_not_panics() {
    for name in ["x.parquet", "x.arrow", "x.arrows"] {
        let (_folder, path) = file(name, "");
        write(&path, &[batch(), batch()], 4);
        let content = std::fs::read(&path).unwrap();
        for position in (0..content.len()).step_by(content.len() / 200) {
            let mut damaged = content.clone();
            let end = (position + 3).min(damaged.len());
            damaged[position..end].fill(0xa5);
            std::fs::write(&path, damaged).unwrap();
            if let Ok(data) = open(&path) {
                let columns: Vec<usize> = (0..data.fields().len()).collect();
                drop(records_of(&data, &columns));
            }
        }
    }
}

#[test]
fn a_parquet_file_tells_its_number_of_records() {
    let (_folder, path) = file("x.parquet", "");
    write(&path, &[batch(), batch()], 4);
    assert_eq!(open(&path).unwrap().rows_hint(), Some(2 * batch().num_rows() as u64));
}

#[test]
fn tables_in_memory_are_read_as_files_are() {
    let cuts: [&[RecordBatch]; 3] =
        [&[batch()], &[batch().slice(0, 1), batch().slice(1, 2)], &[batch().slice(0, 0), batch()]];
    for batches in cuts {
        let data = Dataset::of_batches(batches.to_vec(), &options()).unwrap();
        assert_eq!(data.fields().iter().map(|field| field.kind).collect::<Vec<_>>(), KINDS);
        assert_eq!(data.unread().len(), 2);
        assert_eq!((records(&data), data.rows_hint()), (expected(), Some(3)));
    }
    // Long batches are cut into units, short ones share one, and records are counted through.
    let numbers = |from: i64, to: i64| {
        let values: ArrayRef = Arc::new(Int64Array::from_iter_values(from..to));
        RecordBatch::try_from_iter([("x", values)]).unwrap()
    };
    let data = Dataset::of_batches(
        vec![numbers(0, 200_000), numbers(200_000, 200_010), numbers(200_010, 200_011)],
        &options(),
    );
    let (found, origins) = records_of(&data.unwrap(), &[0]).unwrap();
    assert!(found.iter().enumerate().all(|(row, cells)| cells[..] == [Number(row as f64)]));
    assert_eq!(origins.iter().map(|origin| origin.rows).collect::<Vec<_>>(), [65_536, 65_536, 65_536, 3_403]);
}

#[test]
fn tables_in_memory_that_cannot_be() {
    let column = |name: &str| (name.to_owned(), Arc::new(Float64Array::from(vec![1.0])) as ArrayRef);
    let batch = |names: &[&str]| RecordBatch::try_from_iter(names.iter().map(|name| column(name))).unwrap();
    let refused = |batches: Vec<RecordBatch>| Dataset::of_batches(batches, &options()).unwrap_err().to_string();
    assert!(refused(Vec::new()).contains("one record batch or more"));
    assert!(refused(vec![batch(&["a"]), batch(&["b"])]).starts_with("batch 2 does not go with the first batch"));
    assert!(refused(vec![batch(&["a", "b", "a"])]).starts_with("the table: columns 1 and 3 are both named `a`"));
    let text = ReadOptions { text: vec!["b".to_owned()], ..options() };
    let refused = Dataset::of_batches(vec![batch(&["a"])], &text).unwrap_err().to_string();
    assert_eq!(refused, "the table has no column `b` to be read as text; its columns are a");
}
