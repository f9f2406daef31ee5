// Package strand is what packages runtime and greenlet tell each other, so that
// a task can run on more coroutines than its own.
//
// A strand is a stack on which a part of a task's function runs: the task's own,
// or that of a coroutine that package greenlet made. One strand of a task runs
// at a time, and when it parks, the task does.
package strand

// A Strand is what package runtime keeps of a strand while that does not run.
// The zero Strand is ready for use.
type Strand struct {
	Bounds  any  // the innermost WithTimeout or WithScope that it has called
	Unwound bool // a kill unwinds it, or did and was swallowed

	// Ended is set by package greenlet before the last Switch from the strand.
	Ended bool

	// Outer is set by Strands.Outward only.
	Outer *Strand
}

// Current returns the calling task, nil outside tasks. Package runtime sets it.
var Current func() Task

// A Task is a task as package greenlet sees it. The methods are for the task
// itself.
type Task interface {
	// Attach tells the task of its strands. It is called once, in the task's own.
	Attach(Strands)

	// Enlist makes the calling goroutine, a coroutine that the task has started,
	// act for the task. Discharge ends that, before the goroutine ends.
	Enlist()
	Discharge()

	// Switch is called just before control goes from from, which runs, to to.
	// The strand from which control comes last leaves it to the other one to
	// resume the unwinding by a kill that it swallowed.
	Switch(from, to *Strand)

	// Unwinding reports whether r, from recover, is the panic that unwinds a
	// task because a wait was interrupted. It has to go on in the next strand
	// outward.
	Unwinding(r any) bool
}

// Strands are the strands of one task as package runtime sees them.
type Strands interface {
	// Outward returns the strand in which the panic goes on that unwinds the
	// running one, nil for the last. Outer leads from there to the others.
	Outward() *Strand

	// End ends all strands but the task's own, in which it is called when the
	// task's function has ended. It may park. If it panics, or Goexits, it is
	// called again; the panic is reported.
	End()
}
