// Package model holds no code of its own: its tests compare the whole system with a model of it.
//
// TestModel lets anything happen in a business, at random and one thing after the other, and keeps books beside it: plain sums, lists and rules
// that were written from the documents and share no code with the product. After every command the product must have answered as the model says,
// refusals included, and must hold what the model holds; at the end the audit must find nothing. The suite runs it on SQLite and on MariaDB, so
// both end where the model does.
//
// TestInterleavings lets two or three commands meet, in every order of their transactions and then truly at once. TestGuards shows that it notices:
// built with the tag "unguarded", in which no row is locked, no guard is looked at and no key is unique, it must fail.
//
//	go test ./internal/model -run TestModel -seeds 5000        many more histories
//	go test ./internal/model -run TestModel -seed 17           one of them, told as it goes
package model
