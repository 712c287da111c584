package config

// Examples returns what follows a command's name in its help: its arguments, and
// uses.
func Examples(command string) string { return examples[command] }

var examples = map[string]string{
	"run": `-- COMMAND [ARGUMENT...]

Examples:
   infisync run --env prod -- ./server
   infisync run --exec -- ./migrate up        become the command; nothing is watched
   infisync run --start offline -- ./worker   follow the vault that "sync --watch" keeps`,
	"sync": `

Examples:
   infisync sync --env prod            pull once, so that a later start can do without the server
   infisync sync --env prod --watch    keep the vault for "run --start offline" processes
   infisync sync --delete-orphans      and remove what is no longer on the server`,
	"push": `[NAME...]

Examples:
   infisync push --from-dotenv .env --dry-run
   infisync push TLS_KEY --stdin < key.pem
   infisync push --all                        every local value of the vault`,
	"init": `

Examples:
   infisync init                           ask, and write .infisync.yaml here
   infisync init --env dev --path /backend --yes
   infisync init --from dev:/shared --from dev:/app --yes`,
	"delete":  "NAME...",
	"set":     "NAME",
	"get":     "NAME",
	"restore": "NAME...",
	"rekey":   "--old-secret-file FILE",
	"diff":    "[FILE.env]",
	"explain": "NAME|CODE",
	"export": `

Examples:
   infisync export --format json | jq .DATABASE_URL
   infisync export --format docker --output app.env
   infisync export --format k8s --name app-secrets | kubectl apply -f -`,
	"graph": `

Examples:
   infisync graph --type secret
   infisync graph --relation belongs_to --target PROJECT-ID
   infisync graph --format dot | dot -Tsvg > secrets.svg`,
}
