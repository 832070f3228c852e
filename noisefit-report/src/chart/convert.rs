//! The one file that knows which libraries make PNG and PDF of SVG: resvg and krilla, with letters of DejaVu that are brought along,
//! so that a picture is the same wherever it is made.
//!
//! They are the larger part of what this crate is built from, and stand behind the feature `png-pdf`.

use std::fmt;

/// A form that a picture has besides SVG.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// Pixels, so many to the inch; a figure's 96 units are an inch.
    Png {
        /// Pixels of an inch.
        dpi: f64,
    },
    /// A page as large as the picture, which stays sharp at every size, with text that can be searched.
    Pdf,
}

/// Why a picture could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotConverted(String);

impl fmt::Display for NotConverted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotConverted {}

/// The same picture in another form: the bytes of a file.
///
/// ```
/// use noisefit_report::chart::{Figure, Form, convert, sheet};
/// use noisefit_report::charts;
///
/// let svg = sheet(&[charts::densities()], &Figure::default());
/// if cfg!(feature = "png-pdf") {
///     assert!(convert(&svg, Form::Png { dpi: 96.0 })?.starts_with(b"\x89PNG"));
///     assert!(convert(&svg, Form::Pdf)?.starts_with(b"%PDF-"));
/// }
/// # Ok::<(), noisefit_report::chart::NotConverted>(())
/// ```
///
/// # Errors
/// A build without the feature `png-pdf`; a picture of more pixels than there is memory for.
pub fn convert(svg: &str, form: Form) -> Result<Vec<u8>, NotConverted> {
    with_libraries::convert(svg, form)
}

#[cfg(not(feature = "png-pdf"))]
mod with_libraries {
    use super::{Form, NotConverted};

    pub(super) fn convert(_svg: &str, _form: Form) -> Result<Vec<u8>, NotConverted> {
        let what = "this build makes no PNG and no PDF, for it is without the feature `png-pdf`; write .svg";
        Err(NotConverted(what.to_owned()))
    }
}

#[cfg(feature = "png-pdf")]
mod with_libraries {
    use std::sync::{Arc, LazyLock};

    use krilla::Document;
    use krilla::geom::Size;
    use krilla::page::PageSettings;
    use krilla_svg::{SurfaceExt, SvgSettings};
    use resvg::tiny_skia::{Pixmap, Transform};
    use resvg::usvg::fontdb::Database;
    use resvg::usvg::{self, Tree};

    use super::{Form, NotConverted};

    /// Units of an inch, and points of one.
    const UNITS: f64 = 96.0;
    const POINTS: f64 = 72.0;

    /// Pixels along a side, at most.
    const PIXELS: f64 = 30_000.0;

    const FONT: &str = "DejaVu Sans";

    static BROUGHT: LazyLock<Arc<Database>> = LazyLock::new(|| Arc::new(brought()));

    fn brought() -> Database {
        let mut fonts = Database::new();
        fonts.load_font_data(dejavu::sans::regular().to_vec());
        fonts.load_font_data(dejavu::sans::bold().to_vec());
        fonts.set_sans_serif_family(FONT);
        fonts
    }

    /// Those of the machine, too, for letters that DejaVu lacks: ideographs and what comes after them.
    fn fonts(svg: &str) -> Arc<Database> {
        if svg.chars().all(|c| (c as u32) < 0x2E80) {
            return BROUGHT.clone();
        }
        let mut fonts = brought();
        fonts.load_system_fonts();
        Arc::new(fonts)
    }

    pub(super) fn convert(svg: &str, form: Form) -> Result<Vec<u8>, NotConverted> {
        let options = usvg::Options { fontdb: fonts(svg), font_family: FONT.to_owned(), ..usvg::Options::default() };
        let tree = Tree::from_str(svg, &options).map_err(failed)?;
        match form {
            Form::Png { dpi } => png(&tree, dpi),
            Form::Pdf => pdf(&tree),
        }
    }

    fn failed(error: impl ToString) -> NotConverted {
        NotConverted(format!("the picture cannot be made: {}", error.to_string()))
    }

    fn png(tree: &Tree, dpi: f64) -> Result<Vec<u8>, NotConverted> {
        let zoom = dpi / UNITS;
        let [width, height] = [tree.size().width(), tree.size().height()].map(|side| (f64::from(side) * zoom).round());
        if !(width >= 1.0 && height >= 1.0 && width <= PIXELS && height <= PIXELS) {
            return Err(failed(format!("{width} x {height} pixels, and {PIXELS} are the most along a side")));
        }
        let mut pixels = Pixmap::new(width as u32, height as u32).ok_or_else(|| failed("there is no memory for it"))?;
        resvg::render(tree, Transform::from_scale(zoom as f32, zoom as f32), &mut pixels.as_mut());
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        // How large it is on paper.
        let per_metre = (dpi / 0.0254).round() as u32;
        let unit = png::Unit::Meter;
        encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit }));
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&pixels.take_demultiplied()).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(bytes)
    }

    fn pdf(tree: &Tree) -> Result<Vec<u8>, NotConverted> {
        let side = |units: f32| units * (POINTS / UNITS) as f32;
        let size = Size::from_wh(side(tree.size().width()), side(tree.size().height()));
        let size = size.ok_or_else(|| failed("it has no size"))?;
        let mut document = Document::new();
        let mut page = document.start_page_with(PageSettings::new(size));
        let mut surface = page.surface();
        let drawn = surface.draw_svg(tree, size, SvgSettings::default());
        surface.finish();
        page.finish();
        drawn.ok_or_else(|| failed("it has no size"))?;
        document.finish().map_err(|error| failed(format!("{error:?}")))
    }
}
