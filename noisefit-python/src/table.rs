//! Tables: files, Arrow streams, columns of arrays.

use std::sync::Arc;

use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::types::*;
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, DictionaryArray, PrimitiveArray, RecordBatch, RecordBatchReader,
    StringArray,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use noisefit::data::DataError;
use noisefit::data::cluster::{Engine, Traffic, refusal};
use noisefit::data::read::{ReadOptions, Rerun, Run};
use noisefit::parse;
use numpy::{Element, PyArray1, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyCapsule, PyDict};

use crate::errors::{Keywords, exception, usage};
use crate::model::set;
use crate::numbers::buffer;
use crate::settings::Settings;
use crate::work::apart;

/// A handle of data: files, or record batches in memory.
#[pyclass(frozen, module = "noisefit._noisefit")]
pub(crate) struct Table {
    pub(crate) inner: noisefit::Table,
}

/// A column: its name, its kind, its values, and what goes with them.
type Given<'py> = (String, String, Bound<'py, PyAny>, Option<Bound<'py, PyAny>>);

#[pymethods]
impl Table {
    /// Files, folders, patterns.
    #[staticmethod]
    fn files(py: Python<'_>, inputs: Vec<String>, settings: &Bound<'_, PyDict>) -> PyResult<Self> {
        let (options, memory) = options(&Settings(settings))?;
        let open = |_| noisefit::Table::files(&inputs, &options);
        Ok(Table { inner: sized(apart(py, None, open)?, memory) })
    }

    /// What an object with `__arrow_c_stream__` gives.
    #[staticmethod]
    fn stream(py: Python<'_>, source: &Bound<'_, PyAny>, settings: &Bound<'_, PyDict>) -> PyResult<Self> {
        let (options, memory) = options(&Settings(settings))?;
        let mut reader = reader(source)?;
        let open = |_| {
            let schema = reader.schema();
            let batches = reader.by_ref().collect::<Result<Vec<_>, _>>();
            let mut batches = batches.map_err(|error| DataError::Option(format!("the Arrow stream: {error}")))?;
            if batches.is_empty() {
                batches.push(RecordBatch::new_empty(schema));
            }
            noisefit::Table::batches(batches, &options)
        };
        Ok(Table { inner: sized(apart(py, None, open)?, memory) })
    }

    /// What a function gives that can be called again: objects with `__arrow_c_stream__`, one after another.
    #[staticmethod]
    fn rerun(py: Python<'_>, run: Py<PyAny>, settings: &Bound<'_, PyDict>) -> PyResult<Self> {
        let (options, memory) = options(&Settings(settings))?;
        let source = Arc::new(Query { run });
        let open = |_| noisefit::Table::rerun(source, &options);
        Ok(Table { inner: sized(apart(py, None, open)?, memory) })
    }

    /// What an engine's workers hold: an object with `rows()`, as the function of [`Table::rerun`], and `ask(columns, task)`.
    #[staticmethod]
    fn engine(py: Python<'_>, engine: Py<PyAny>, settings: &Bound<'_, PyDict>) -> PyResult<Self> {
        let (options, memory) = options(&Settings(settings))?;
        let run = engine.getattr(py, "rows")?;
        let engine = Arc::new(Workers { rows: Query { run }, engine });
        let open = |_| noisefit::Table::engine(engine, &options);
        Ok(Table { inner: sized(apart(py, None, open)?, memory) })
    }

    /// What passes have cost, where an engine's workers make them: their number, partitions, records, bytes sent and received, seconds.
    fn traffic(&self) -> Option<(u64, u64, u64, u64, u64, f64)> {
        let Traffic { passes, partitions, records, bytes_sent, bytes_received, seconds } = self.inner.traffic()?;
        Some((passes, partitions, records, bytes_sent, bytes_received, seconds))
    }

    /// Columns of one length.
    #[staticmethod]
    fn columns(py: Python<'_>, columns: Vec<Given<'_>>, settings: &Bound<'_, PyDict>) -> PyResult<Self> {
        let (options, memory) = options(&Settings(settings))?;
        let mut arrays: Vec<(String, ArrayRef)> = Vec::with_capacity(columns.len());
        for (name, kind, values, with) in columns {
            let array = array(py, &kind, &values, with.as_ref())
                .map_err(|error| exception(py, "DataError", &format!("column `{name}`: {}", error.value(py))))?;
            arrays.push((name, array));
        }
        if let Some((name, other)) = arrays.iter().find(|(_, array)| array.len() != arrays[0].1.len()) {
            let (first, rows) = (&arrays[0].0, arrays[0].1.len());
            let message = format!("column `{name}` has {} values, and column `{first}` has {rows}", other.len());
            return Err(exception(py, "DataError", &message));
        }
        let fields: Vec<Field> =
            arrays.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true)).collect();
        let arrays = arrays.into_iter().map(|(_, array)| array).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .map_err(|error| exception(py, "DataError", &error.to_string()))?;
        let open = |_| noisefit::Table::batches(vec![batch], &options);
        Ok(Table { inner: sized(apart(py, None, open)?, memory) })
    }

    /// The names of the columns.
    fn names(&self) -> Vec<String> {
        self.inner.columns().iter().map(|field| field.name.clone()).collect()
    }
}

/// The same table that may keep so many bytes in memory between passes.
fn sized(table: noisefit::Table, memory: Option<u64>) -> noisefit::Table {
    match memory {
        Some(bytes) => table.memory(bytes),
        None => table,
    }
}

/// How data are read, and how much of them is kept in memory.
fn options(settings: &Settings<'_, '_>) -> PyResult<(ReadOptions, Option<u64>)> {
    let mut options = ReadOptions {
        format: settings.of("input_format")?,
        delimiter: settings.by("delimiter", parse::delimiter)?,
        missing: settings.texts("na")?,
        text: settings.texts("text")?,
        number: settings.texts("number")?,
        decimal: settings.by("decimal", parse::decimal)?,
        date: settings.of("date")?,
        ..ReadOptions::default()
    };
    set(&mut options.header, settings.flag("header")?);
    set(&mut options.threads, settings.size("threads", 1)?);
    Ok((options, settings.by("memory", parse::size)?))
}

/// The reader of a stream.
fn reader(source: &Bound<'_, PyAny>) -> PyResult<RecordBatchStreamReader> {
    let capsule = source.call_method0("__arrow_c_stream__")?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let stream = capsule.pointer_checked(Some(c"arrow_array_stream"))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: by the Arrow PyCapsule interface a capsule of this name holds a stream, which whoever takes it moves out.
    let reader = unsafe { RecordBatchStreamReader::from_raw(stream.as_ptr()) };
    reader.map_err(|error| exception(source.py(), "DataError", &format!("the Arrow stream: {error}")))
}

/// A function of Python's that gives the same objects with `__arrow_c_stream__` whenever it is called.
#[derive(Debug)]
struct Query {
    run: Py<PyAny>,
}

impl Rerun for Query {
    fn run(&self) -> Result<Run, DataError> {
        let begun = Python::attach(|py| {
            let objects = self.run.bind(py).call0()?.try_iter()?.unbind();
            let first = objects.bind(py).clone().next().transpose()?;
            let reader = first.map(|object| reader(&object)).transpose()?;
            Ok((objects.into_any(), reader))
        });
        let (objects, reader) = begun.map_err(|error| DataError::Option(format!("the table: {}", described(error))))?;
        let reader = reader.ok_or_else(|| DataError::Option("the table: its query gave nothing".to_owned()))?;
        Ok(Box::new(Objects { objects, schema: reader.schema(), reader: Some(reader) }))
    }
}

/// An engine that Python speaks with.
#[derive(Debug)]
struct Workers {
    rows: Query,
    engine: Py<PyAny>,
}

/// How often whoever waits for an engine is asked whether they still do.
const PATIENCE: f64 = 0.05;

impl Rerun for Workers {
    fn run(&self) -> Result<Run, DataError> {
        self.rows.run()
    }
}

impl Engine for Workers {
    fn ask(&self, columns: &[String], task: &[u8], cancelled: &dyn Fn() -> bool) -> Result<Vec<Vec<u8>>, DataError> {
        let failed = |error: PyErr| DataError::Option(described(error));
        let begun = Python::attach(|py| {
            let arguments = (columns.to_vec(), PyBytes::new(py, task));
            self.engine.call_method1(py, "ask", arguments)
        });
        let asked = begun.map_err(failed)?;
        loop {
            // It waits without the lock.
            let answers = Python::attach(|py| {
                let answers = asked.call_method1(py, "wait", (PATIENCE,))?;
                let answers = answers.extract::<Option<Vec<PyBackedBytes>>>(py)?;
                Ok(answers.map(|answers| answers.iter().map(|answer| answer.to_vec()).collect()))
            });
            if let Some(answers) = answers.map_err(failed)? {
                return Ok(answers);
            }
            if cancelled() {
                Python::attach(|py| asked.call_method0(py, "cancel")).map_err(failed)?;
                return Err(DataError::Interrupted);
            }
        }
    }
}

/// Folds the rows of a partition on a worker of an engine: those of an object with `__arrow_c_stream__`. What is wrong with them is
/// told in the answer.
#[pyfunction]
pub(crate) fn fold_partition<'py>(
    py: Python<'py>,
    task: PyBackedBytes,
    partition: u64,
    source: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let reader = reader(source)?;
    let batches = reader.map(|batch| batch.map_err(|error| DataError::Option(format!("the engine's rows: {error}"))));
    let folded = py.detach(|| {
        let fold = || noisefit::data::source::fold_partition(&task, &noisefit::kinds(), partition, batches);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(fold))
            .unwrap_or_else(|_| Err(DataError::Option("a fault of noisefit on a worker; please report it".to_owned())))
            .unwrap_or_else(|error| refusal(partition, &error.sentence(&Keywords)))
    });
    Ok(PyBytes::new(py, &folded))
}

/// Merges answers of one task, on a worker of an engine.
#[pyfunction]
pub(crate) fn merge_answers<'py>(
    py: Python<'py>,
    task: PyBackedBytes,
    answers: Vec<PyBackedBytes>,
) -> Bound<'py, PyBytes> {
    let merged = py.detach(|| noisefit::data::cluster::merge(&task, &noisefit::kinds(), &answers));
    PyBytes::new(py, &merged)
}

/// What went wrong in Python, as it says.
fn described(error: PyErr) -> String {
    Python::attach(|py| error.value(py).to_string())
}

/// The batches of objects, one after another.
struct Objects {
    objects: Py<PyAny>,
    schema: SchemaRef,
    reader: Option<RecordBatchStreamReader>,
}

impl Iterator for Objects {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.reader.as_mut()?.next() {
                return Some(batch);
            }
            let next = Python::attach(|py| {
                let object = self.objects.bind(py).try_iter()?.next().transpose()?;
                object.map(|object| reader(&object)).transpose()
            });
            match next {
                Ok(reader) => self.reader = reader,
                Err(error) => {
                    self.reader = None;
                    return Some(Err(ArrowError::ExternalError(described(error).into())));
                }
            }
        }
    }
}

impl RecordBatchReader for Objects {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// The array of a column, as `_table.py` names kinds.
fn array(py: Python<'_>, kind: &str, values: &Bound<'_, PyAny>, with: Option<&Bound<'_, PyAny>>) -> PyResult<ArrayRef> {
    Ok(match kind {
        "float64" => numbers::<Float64Type>(values, with)?,
        "float32" => numbers::<Float32Type>(values, with)?,
        "int64" => numbers::<Int64Type>(values, with)?,
        "int32" => numbers::<Int32Type>(values, with)?,
        "int16" => numbers::<Int16Type>(values, with)?,
        "int8" => numbers::<Int8Type>(values, with)?,
        "uint64" => numbers::<UInt64Type>(values, with)?,
        "uint32" => numbers::<UInt32Type>(values, with)?,
        "uint16" => numbers::<UInt16Type>(values, with)?,
        "uint8" => numbers::<UInt8Type>(values, with)?,
        "date" => numbers::<Date32Type>(values, with)?,
        "s" => numbers::<TimestampSecondType>(values, with)?,
        "ms" => numbers::<TimestampMillisecondType>(values, with)?,
        "us" => numbers::<TimestampMicrosecondType>(values, with)?,
        "ns" => numbers::<TimestampNanosecondType>(values, with)?,
        "bool" => {
            let values: PyReadonlyArray1<'_, bool> = values.extract()?;
            let bits = BooleanBuffer::from_iter(values.as_slice()?.iter().copied());
            Arc::new(BooleanArray::new(bits, present(with)?))
        }
        "text" => Arc::new(StringArray::from(values.extract::<Vec<Option<String>>>()?)),
        "category" => {
            let codes: PyReadonlyArray1<'_, i32> = values.extract()?;
            let codes = codes.as_slice()?.iter().map(|&code| (code >= 0).then_some(code));
            let levels = with.map(|levels| levels.extract::<Vec<String>>()).transpose()?.unwrap_or_default();
            let array = DictionaryArray::<Int32Type>::try_new(codes.collect(), Arc::new(StringArray::from(levels)));
            Arc::new(array.map_err(|error| usage(py, &error.to_string()))?)
        }
        "arrow" => {
            let mut reader = reader(values)?;
            let batches = reader.by_ref().collect::<Result<Vec<_>, _>>();
            let batches = batches.map_err(|error| usage(py, &error.to_string()))?;
            match &batches[..] {
                [batch] => batch.column(0).clone(),
                [] => RecordBatch::new_empty(reader.schema()).column(0).clone(),
                _ => return Err(usage(py, "it is of several parts")),
            }
        }
        _ => return Err(usage(py, &format!("there are no columns of kind {kind}"))),
    })
}

/// Numbers without a copy, and which of them are missing.
fn numbers<T: ArrowPrimitiveType<Native: Element>>(
    values: &Bound<'_, PyAny>,
    missing: Option<&Bound<'_, PyAny>>,
) -> PyResult<ArrayRef> {
    let values = values.cast::<PyArray1<T::Native>>()?;
    let length = PyUntypedArrayMethods::len(values);
    let values = ScalarBuffer::<T::Native>::new(buffer(values), 0, length);
    Ok(Arc::new(PrimitiveArray::<T>::new(values, present(missing)?)))
}

/// The values that are there, of a mask of those that are missing.
fn present(missing: Option<&Bound<'_, PyAny>>) -> PyResult<Option<NullBuffer>> {
    let Some(missing) = missing else { return Ok(None) };
    let missing: PyReadonlyArray1<'_, bool> = missing.extract()?;
    Ok(Some(NullBuffer::from_iter(missing.as_slice()?.iter().map(|missing| !missing))))
}

/// The table that is given, watched over, and not the one that it came from.
pub(crate) fn watched(table: &noisefit::Table, watch: Arc<crate::work::Passes>) -> noisefit::Table {
    table.clone().watched_by(watch)
}
