package conformance

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A check is a row of the table.
type check struct {
	id       string
	rfc      string
	before   string // the state in which the command is sent
	command  string
	expected string
	note     string
}

//go:embed testdata/checks.tsv
var checkTable string

//go:embed testdata/choices.tsv
var choiceTable string

// readTable reads lines of fields between tabs, without the heading.
func readTable(text string, fields int) ([][]string, error) {
	var rows [][]string
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines[1:] {
		row := strings.Split(line, "\t")
		if len(row) != fields {
			return nil, fmt.Errorf("line %d has %d fields, not %d", i+2, len(row), fields)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// checks returns the checks in their order.
func checks() ([]check, error) {
	rows, err := readTable(checkTable, 6)
	if err != nil {
		return nil, err
	}
	var all []check
	for _, r := range rows {
		all = append(all, check{r[0], r[1], r[2], r[3], r[4], r[5]})
	}
	return all, nil
}

// choices returns, by id, what the server does where several things are allowed, or
// why there is no test.
func choices() (map[string]string, error) {
	rows, err := readTable(choiceTable, 2)
	if err != nil {
		return nil, err
	}
	chosen := make(map[string]string)
	for _, r := range rows {
		chosen[r[0]] = r[1]
	}
	return chosen, nil
}

// later begins the choice of a check that nothing fulfils yet.
const later = "later: "

var mention = regexp.MustCompile(`\bC(\d{3})\b(?: to C(\d{3})\b)?`)

// findTests returns, by id of a check, the tests in the folders of root that name it.
func findTests(root string, folders ...string) (map[string][]string, error) {
	found := make(map[string]map[string]bool)
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			return findInFile(root, path, found)
		})
		if err != nil {
			return nil, err
		}
	}
	tests := make(map[string][]string)
	for id, names := range found {
		tests[id] = slices.Sorted(maps.Keys(names))
	}
	return tests, nil
}

// findInFile adds what the tests of one file name: in their bodies, and in the
// comments before them.
func findInFile(root, path string, found map[string]map[string]bool) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, source, parser.ParseComments)
	if err != nil {
		return err
	}
	folder, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(fn.Name.Name, "Test") && !strings.HasPrefix(fn.Name.Name, "Fuzz") {
			continue
		}
		from := fn.Pos()
		if fn.Doc != nil {
			from = fn.Doc.Pos()
		}
		text := source[set.Position(from).Offset:set.Position(fn.End()).Offset]
		for _, m := range mention.FindAllSubmatch(text, -1) {
			first, last := string(m[1]), string(m[2])
			if last == "" {
				last = first
			}
			for n := number(first); n <= number(last); n++ {
				id := fmt.Sprintf("C%03d", n)
				if found[id] == nil {
					found[id] = make(map[string]bool)
				}
				found[id][folder+": "+fn.Name.Name] = true
			}
		}
	}
	return nil
}

// number is the value of three digits.
func number(digits string) (n int) {
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	return n
}
