# R's ways with a matrix in memory; speaks as bench/src/main.rs does: peers.R METHOD ROWS COLUMNS FOLDER.
arguments <- commandArgs(trailingOnly = TRUE)
method <- arguments[1]
rows <- as.integer(arguments[2])
columns <- as.integer(arguments[3])
x <- matrix(readBin(file.path(arguments[4], "x.f64"), "double", rows * columns), rows, columns, byrow = TRUE)
y <- readBin(file.path(arguments[4], "y.f64"), "double", rows)

answer <- function(...) {
  cat(sprintf(...), "\n", sep = "")
  flush(stdout())
}
numbers <- function(name, values) sprintf('"%s": [%s]', name, paste(sprintf("%.17g", values), collapse = ", "))
coefficients_of <- function(fit) numbers("coefficients", fit$coefficients)

needs <- function(package) {
  if (!requireNamespace(package, quietly = TRUE)) {
    message("there is no package ", package)
    quit(status = 1)
  }
  as.character(packageVersion(package))
}
lm_with_errors <- function(fit) {
  table <- summary(fit)$coefficients
  paste(numbers("coefficients", table[, 1]), numbers("std_errors", table[, 2]), sep = ", ")
}
# `pxy` begins each draw at the fit of the data, which is its own to find.
bootstrap_errors <- function(how, draws) {
  fit <- if (how == "pxy") quantreg::rq.fit.pfn(x, y, tau = 0.5)$coefficients
  draws <- quantreg::boot.rq(x, y, tau = 0.5, R = draws, bsmethod = how, coef = fit)$B
  numbers("std_errors", apply(draws, 2, sd))
}
# The column of ones is put in before the clock starts, and no formula is read.
if (method != "lm") x <- cbind(1, x)
once <- switch(method,
  lm = function() lm_with_errors(lm(y ~ x)),
  "rq fn" = function() coefficients_of(quantreg::rq.fit.fnb(x, y, tau = 0.5)),
  "rq pfn" = function() coefficients_of(quantreg::rq.fit.pfn(x, y, tau = 0.5)),
  "rq pfn, nine" = function() {
    numbers("coefficients", sapply(1:9 / 10, function(tau) quantreg::rq.fit.pfn(x, y, tau = tau)$coefficients))
  },
  "boot.rq xy" = function() bootstrap_errors("xy", draws = 2),
  "boot.rq pxy" = function() bootstrap_errors("pxy", draws = 200),
  rlm = function() {
    fit <- MASS::rlm(x, y, psi = MASS::psi.huber, k = 1.345, scale.est = "MAD", acc = 1e-10, maxit = 200)
    if (!fit$converged) stop("rlm did not converge")
    paste(coefficients_of(fit), numbers("scale", fit$s), sep = ", ")
  }
)
# Two draws stand for 200.
times <- if (method == "boot.rq xy") 100 else 1
version <- switch(method, lm = as.character(getRversion()), rlm = needs("MASS"), needs("quantreg"))

answer('{"ready": true, "version": "%s"}', version)
input <- file("stdin", "r")
while (length(readLines(input, 1)) > 0) {
  start <- proc.time()[["elapsed"]]
  result <- once()
  seconds <- times * (proc.time()[["elapsed"]] - start)
  answer('{"seconds": %.17g, "numbers": {%s}}', seconds, result)
}
