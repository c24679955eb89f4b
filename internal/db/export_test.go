package db

// Waiting says how many callers nobody has picked up yet.
func (l *Lookup[K, V]) Waiting() int { n, _ := l.gather.now(); return n }
