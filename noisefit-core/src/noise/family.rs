//! What a noise family says of itself beside its density: its name and how it is written, what can be asked of it, and the
//! route to its fit. From these come help, parsing, messages, tests and tables.

use crate::Error;
use crate::noise::{Huber, Kernel, Noise, NoiseFamily, Shaped};

/// A noise family as it is listed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Description {
    /// How it can be written, such as `student-t` and `student-t:DF`.
    pub usage: &'static [&'static str],
    /// What it is, in one line.
    pub about: &'static str,
    /// Whether its scale can be modelled.
    pub scale: ModelledScale,
    /// Whether its likelihood is set beside those of others.
    pub compared: Compared,
    /// What of its likelihood depends on the location alone.
    pub loss: Loss,
}

/// Which fits can model the logarithm of the scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelledScale {
    /// None.
    Never,
    /// What is trained.
    Trained,
    /// What is trained, and exact fits.
    Always,
}

/// When a family is a candidate of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Never, and why: said after its name.
    Never(&'static str),
    /// Where it is named.
    Named,
    /// Where nothing is named, with one scale.
    ByDefault,
    /// Where nothing is named, with one scale and, where a scale is modelled, with that.
    ByDefaultWithScale,
}

/// The mean loss that a family's likelihood leaves of the location: `factor s^power (-ln f(r) + ln f(0))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    /// What it is called.
    pub name: &'static str,
    /// What it is called where residuals are standardised by a modelled scale.
    pub standardised: &'static str,
    /// What `rho` is multiplied by.
    pub factor: f64,
    /// The power of the scale that it is multiplied by.
    pub power: i32,
}

/// A family's parameters: how they are written, and what they may be. Of a family that has none, [`Parameterless`] says it
/// all.
pub trait Parameters: Sized {
    /// The families that are named by what follows the colon; none where nothing does.
    ///
    /// # Errors
    /// Why there is no such family.
    fn parse(parameter: Option<&str>) -> Result<Vec<Self>, &'static str>;

    /// What follows the colon where it is named.
    fn written(&self) -> Option<String>;

    /// What a sentence adds to the name, such as ` with 4.2 df`.
    fn words(&self) -> String;

    /// What was named where this was estimated.
    #[must_use]
    fn named(self) -> Self;

    /// Whether a fit can be asked for: what was given is within its range.
    ///
    /// # Errors
    /// [`Error::Argument`].
    fn check(&self) -> Result<(), Error>;

    /// Whether the parameters are those of a density.
    fn is_density(&self) -> bool;

    /// Some members that have a density, and between them all that is special: for tests and examples.
    fn samples() -> Vec<Self>;
}

/// A family without parameters.
pub trait Parameterless: Copy + Default {}

impl<F: Parameterless> Parameters for F {
    fn parse(parameter: Option<&str>) -> Result<Vec<Self>, &'static str> {
        match parameter {
            None => Ok(vec![F::default()]),
            Some(_) => Err("this family has no parameter; write its name alone"),
        }
    }

    fn written(&self) -> Option<String> {
        None
    }

    fn words(&self) -> String {
        String::new()
    }

    fn named(self) -> Self {
        self
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn is_density(&self) -> bool {
        true
    }

    fn samples() -> Vec<Self> {
        vec![F::default()]
    }
}

/// A family in the list.
pub trait Family: NoiseFamily + Parameters + Copy + Into<Noise> {
    /// What is said of it.
    const DESCRIPTION: Description;

    /// Shows its kernel to a visitor by way of its route to a fit.
    fn accept<V: RouteVisitor>(self, visitor: V) -> V::Output;
}

/// The routes to a fit, each with the kernel that takes it: who fits, tests or trains implements what it does on each.
pub trait RouteVisitor {
    /// What comes of it.
    type Output;

    /// Least squares.
    fn closed_form<K: Kernel>(self, kernel: K) -> Self::Output;

    /// A linear program, whose solution is a vertex: the quantile of level `tau`.
    fn vertex<K: Kernel>(self, kernel: K, tau: f64) -> Self::Output;

    /// A search for the set of rows that lie within the knee of Huber's loss.
    fn active_set<K: Kernel>(self, kernel: K, family: Huber) -> Self::Output;

    /// Newton's method.
    fn smooth<K: Kernel>(self, kernel: K) -> Self::Output;

    /// Newton's method for location, scale and shape; the shape of the kernel is where it stands.
    fn shaped<K: Shaped>(self, kernel: K) -> Self::Output;
}

/// Whoever needs a kernel and not the route that its family takes.
pub trait Visitor: Sized {
    /// What comes of it.
    type Output;

    /// The kernel of a family, its shape given.
    fn visit<K: Kernel>(self, kernel: K) -> Self::Output;

    /// A kernel whose shape is estimated, where it stands.
    fn visit_shaped<K: Shaped>(self, kernel: K) -> Self::Output;
}

/// Shows the kernel whatever the route.
pub(super) struct AnyRoute<V>(pub(super) V);

impl<V: Visitor> RouteVisitor for AnyRoute<V> {
    type Output = V::Output;

    fn closed_form<K: Kernel>(self, kernel: K) -> V::Output {
        self.0.visit(kernel)
    }

    fn vertex<K: Kernel>(self, kernel: K, _: f64) -> V::Output {
        self.0.visit(kernel)
    }

    fn active_set<K: Kernel>(self, kernel: K, _: Huber) -> V::Output {
        self.0.visit(kernel)
    }

    fn smooth<K: Kernel>(self, kernel: K) -> V::Output {
        self.0.visit(kernel)
    }

    fn shaped<K: Shaped>(self, kernel: K) -> V::Output {
        self.0.visit_shaped(kernel)
    }
}

/// A route to a fit, as data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Route {
    /// Least squares.
    ClosedForm,
    /// A linear program.
    Vertex {
        /// The level of the quantile that the location is.
        tau: f64,
    },
    /// A search for the rows within a knee.
    ActiveSet,
    /// Newton's method.
    Smooth,
}

/// Asks for the route alone.
pub(super) struct RouteOf;

impl RouteVisitor for RouteOf {
    type Output = Route;

    fn closed_form<K: Kernel>(self, _: K) -> Route {
        Route::ClosedForm
    }

    fn vertex<K: Kernel>(self, _: K, tau: f64) -> Route {
        Route::Vertex { tau }
    }

    fn active_set<K: Kernel>(self, _: K, _: Huber) -> Route {
        Route::ActiveSet
    }

    fn smooth<K: Kernel>(self, _: K) -> Route {
        Route::Smooth
    }

    fn shaped<K: Shaped>(self, _: K) -> Route {
        Route::Smooth
    }
}

/// An entry of [`FAMILIES`](crate::noise::FAMILIES).
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    /// The family's name on the command line and in JSON.
    pub name: &'static str,
    /// What the family says of itself.
    pub description: Description,
    /// The noise that is named by what follows the colon.
    pub(super) parse: fn(Option<&str>) -> Result<Vec<Noise>, &'static str>,
    samples: fn() -> Vec<Noise>,
}

impl Listed {
    pub(super) const fn of<F: Family>(name: &'static str) -> Self {
        fn parse<F: Family>(parameter: Option<&str>) -> Result<Vec<Noise>, &'static str> {
            Ok(F::parse(parameter)?.into_iter().map(F::into).collect())
        }
        fn samples<F: Family>() -> Vec<Noise> {
            F::samples().into_iter().map(F::into).collect()
        }
        Listed { name, description: F::DESCRIPTION, parse: parse::<F>, samples: samples::<F> }
    }

    /// The noise that the name alone stands for; none where it needs a parameter.
    pub fn unparametrised(&self) -> Option<Noise> {
        (self.parse)(None).ok().and_then(|noises| noises.first().copied())
    }

    /// Some members of the family that have a density, and between them all that is special: for tests and examples.
    pub fn samples(&self) -> Vec<Noise> {
        (self.samples)()
    }
}
