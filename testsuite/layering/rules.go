package layering

// module is the path every import of our own begins with.
const module = "github.com/weft-go/weft"

// A layer is one row of the dependency rules.
//
// Folders are named relative to the module. A name covers the folder and everything below it, and
// the longest matching name wins, so "ftp/server" is its own layer and not part of "ftp".
type layer struct {
	folder string
	// imports are the layers whose packages it may import, besides its own.
	imports []string
	// tests are layers that its test files may import as well.
	tests []string
}

// layers is the dependency direction. A package that no row covers is a problem too: a new
// top-level folder must be placed here on purpose.
var layers = []layer{
	{folder: "runtime"},
	{folder: "net", imports: []string{"runtime"}},

	// The protocol does no I/O, so that every byte of it can be fuzzed.
	{folder: "ftp", imports: []string{"ftp/internal"}},
	{folder: "ftp/internal", imports: []string{"ftp"}},

	// Plain blocking Go: only ftp/server moves them off a worker.
	{folder: "ftp/storage", imports: []string{"ftp", "ftp/internal", "ftp/auth"}},
	{folder: "ftp/auth", imports: []string{"ftp", "ftp/internal", "ftp/storage"}},

	{
		folder:  "ftp/server",
		imports: []string{"runtime", "net", "ftp", "ftp/internal", "ftp/storage", "ftp/auth"},
		tests:   []string{"ftp/client"},
	},
	{
		folder:  "ftp/client",
		imports: []string{"runtime", "net", "ftp", "ftp/internal"},
		tests:   []string{"ftp/server", "ftp/storage", "ftp/auth"},
	},

	// Nothing may import these two but themselves: no other row lists them.
	{
		folder:  "apps",
		imports: []string{"runtime", "net", "ftp", "ftp/internal", "ftp/storage", "ftp/auth", "ftp/server", "ftp/client"},
	},
	{
		folder:  "testsuite",
		imports: []string{"runtime", "net", "ftp", "ftp/internal", "ftp/storage", "ftp/auth", "ftp/server", "ftp/client"},
	},

	// The root folder: documentation and its examples.
	{folder: ".", imports: []string{"runtime", "net", "ftp", "ftp/storage", "ftp/auth", "ftp/server", "ftp/client"}},
}

// exclusive lists imports from outside the module that one folder has to itself, test files included.
var exclusive = []struct {
	path   string // the import and everything below it
	folder string // the only place it may be imported, subfolders included
	peers  string // but for this one, where it is measured as a program of its own
}{
	{path: "github.com/cloudwego/netpoll", folder: "runtime/internal/reactor", peers: "testsuite/bench/peers"},
	// A program that does not ask for a cluster has nothing of it linked in.
	{path: "github.com/nats-io", folder: "runtime/process/cluster"},
}

// shadows are the standard packages that ours share a name with, and what they are called where both
// can be meant: in every package of our folder of that name, and in every package that imports ours.
var shadows = []struct {
	std   string
	alias string
}{
	{std: "runtime", alias: "goruntime"},
	{std: "net", alias: "stdnet"},
}

// shadowed are the folders inside which the shadows are always aliased.
var shadowed = []string{"runtime", "net"}
