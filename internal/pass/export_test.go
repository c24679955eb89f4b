package pass

// LastDay is lastDay, for tests outside of the package.
var LastDay = lastDay
