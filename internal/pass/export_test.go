package pass

// LastDay is lastDay, for tests outside of the package.
var LastDay = lastDay

// ViewOf is view, for tests outside of the package.
var ViewOf = view
