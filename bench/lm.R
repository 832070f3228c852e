# R's lm with its standard errors, on a matrix in memory; speaks as bench/src/main.rs does.
arguments <- commandArgs(trailingOnly = TRUE)
rows <- as.integer(arguments[1])
columns <- as.integer(arguments[2])
x <- matrix(readBin(file.path(arguments[3], "x.f64"), "double", rows * columns), rows, columns, byrow = TRUE)
y <- readBin(file.path(arguments[3], "y.f64"), "double", rows)

answer <- function(...) {
  cat(sprintf(...), "\n", sep = "")
  flush(stdout())
}
numbers <- function(values) paste(sprintf("%.17g", values), collapse = ", ")

answer('{"ready": true, "version": "%s"}', as.character(getRversion()))
input <- file("stdin", "r")
while (length(readLines(input, 1)) > 0) {
  start <- proc.time()[["elapsed"]]
  fit <- summary(lm(y ~ x))$coefficients
  seconds <- proc.time()[["elapsed"]] - start
  answer('{"seconds": %.17g, "numbers": {"coefficients": [%s], "std_errors": [%s]}}', seconds, numbers(fit[, 1]), numbers(fit[, 2]))
}
