package ftp

import (
	"errors"
	"testing"
)

func TestCodeClasses(t *testing.T) {
	for _, tc := range []struct {
		code                                                   Code
		preliminary, completed, intermediate, trans, permanent bool
	}{
		{code: CodeOpeningData, preliminary: true},
		{code: CodeTransferDone, completed: true},
		{code: CodePending, intermediate: true},
		{code: CodeAborted, trans: true},
		{code: CodeUnavailable, permanent: true},
	} {
		c := tc.code
		if c.Preliminary() != tc.preliminary || c.Completed() != tc.completed ||
			c.Intermediate() != tc.intermediate || c.Transient() != tc.trans || c.Permanent() != tc.permanent {
			t.Errorf("%v is in a wrong class", c)
		}
		if c.Positive() != (tc.preliminary || tc.completed || tc.intermediate) {
			t.Errorf("%v: Positive is wrong", c)
		}
	}
	for code, want := range map[Code]bool{99: false, 100: true, 631: true, 699: true, 700: false, 1000: false, -200: false} {
		if code.Valid() != want {
			t.Errorf("%v.Valid() = %v", code, !want)
		}
	}
}

func TestErrors(t *testing.T) {
	var err error = &Error{Code: 550, Msg: "No such file."}
	var reply *Error
	if !errors.As(err, &reply) || reply.Code != CodeUnavailable || err.Error() != "550 No such file." || reply.Temporary() {
		t.Errorf("unexpected: %v", err)
	}
	if got := *ErrHostPort.Reply(); got != (Error{CodeBadArgument, ErrHostPort.What}) {
		t.Errorf("Reply() = %+v", got)
	}
}
