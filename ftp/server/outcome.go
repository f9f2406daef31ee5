package server

import (
	"context"
	"errors"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime"
)

// outcomes names how a transfer ended, for who reads the log: whether a file is
// whole must not have to be guessed from an error's text. The first row that
// matches counts.
//
// In stream mode without TLS the end of the data is the client's closing of the
// connection, which a client that dies does, too. So "complete" means that the
// client closed it, with the control connection still there. ALLO, MODE Z and TLS
// tell more.
var outcomes = []struct {
	err  error
	name string
}{
	{errControlLost, "control lost"},
	{runtime.ErrKilled, "killed"},
	{context.Canceled, "killed"},
	{errAborted, "aborted"},
	{errDrained, "shutdown"},
	{errStalled, "stalled"},
	{errNoData, "not connected"},
	{errNoDataTLS, "not secured"},
	{errNoReuse, "not secured"},
	{errDeflateCut, "cut"},
	{errDamaged, "damaged"},
	{errFileTooLarge, "too large"},
	{storage.ErrQuota, "quota"},
}

// outcome returns the name for how the transfer ended.
func (t *transfer) outcome() string {
	err := t.result
	switch {
	case err == nil && t.short:
		return "shorter than ALLO"
	case err == nil:
		return "complete"
	}
	for _, row := range outcomes {
		if errors.Is(err, row.err) {
			return row.name
		}
	}
	if _, ok := errors.AsType[*dataError](err); ok {
		return "data lost"
	}
	if e, _ := refusal(err); e.Code == ftp.CodeNoSpace {
		return "no space"
	}
	return "failed"
}
