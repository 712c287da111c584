package config

// Examples returns what follows a command's name in its help: its arguments, and
// uses. The vault's commands are named with "vault " before them.
func Examples(command string) string {
	switch command {
	case "run":
		return `-- COMMAND [ARGUMENT...]

Examples:
   infisync run --env prod -- ./server
   infisync run --exec -- ./migrate up        replace infisync; nothing is watched
   infisync run --start offline -- ./worker   follow the vault that "sync --watch" maintains`
	case "sync":
		return `

Examples:
   infisync sync --env prod            pull once, so that a later start works without the server
   infisync sync --env prod --watch    maintain the vault for "run --start offline" processes
   infisync sync --delete-orphans      also remove what is no longer on the server`
	case "push":
		return `[NAME...]

Examples:
   infisync push --from-dotenv .env --dry-run
   infisync push TLS_KEY --stdin < key.pem
   infisync push --all                        every local value of the vault`
	case "delete":
		return `NAME...

Examples:
   infisync delete OLD_KEY
   infisync delete OLD_KEY OLDER_KEY --yes      without asking
   infisync vault restore OLD_KEY --push        undo it, within 30 days`
	case "projects":
		return `

Examples:
   infisync projects
   infisync projects --format json | jq -r '.[].id'
   infisync run --project "$(infisync projects --format json | jq -r '.[0].id')" -- ./app`
	case "vault set":
		return `NAME

Examples:
   infisync vault set API_KEY                   prompts, without echo
   infisync vault set TLS_KEY < key.pem
   infisync vault set API_KEY --push            also push it to the server`
	case "vault get":
		return `NAME

Examples:
   infisync vault get API_KEY
   infisync vault get TLS_KEY > key.pem
   infisync vault get API_KEY --previous        the previous value`
	case "vault list":
		return `

Examples:
   infisync vault list
   infisync vault list --env prod
   infisync vault list --format json`
	case "vault delete":
		return `NAME...

Examples:
   infisync vault delete API_KEY
   infisync vault delete API_KEY OTHER_KEY
   infisync vault restore API_KEY               undo it, within 30 days`
	case "vault restore":
		return `NAME...

Examples:
   infisync vault restore API_KEY
   infisync vault restore API_KEY OTHER_KEY
   infisync vault restore API_KEY --push        also restore it on the server`
	case "vault key":
		return `

Examples:
   infisync vault key --yes > key.txt           store it as safely as the secrets
   infisync vault key --yes | age -d -i - vault.*.age
   infisync run --vault-key-file key.txt -- ./app`
	case "vault rekey":
		return `--old-secret-file FILE

Examples:
   infisync vault rekey --old-secret-file old-client-secret
   infisync vault rekey --old-secret-file key.txt
   infisync vault rekey --old-secret-file old-client-secret --env prod`
	case "export":
		return `

Examples:
   infisync export --format json | jq .DATABASE_URL
   infisync export --format docker --output app.env
   infisync export --format k8s --name app-secrets | kubectl apply -f -`
	case "diff":
		return `[FILE.env]

Examples:
   infisync diff                                the server against the vault
   infisync diff .env                           the server against a file
   infisync diff --format json .env | jq`
	case "explain":
		return `NAME|CODE

Examples:
   infisync explain DATABASE_URL
   infisync explain DATABASE_URL --recursive
   infisync explain login-refused`
	case "ps":
		return `

Examples:
   infisync ps
   infisync ps --format json
   infisync ps --state-dir /var/lib/infisync`
	case "status":
		return `

Examples:
   infisync status
   infisync status --format json
   infisync status --check --max-age 5m         for health checks: an exit status, no output`
	case "doctor":
		return `

Examples:
   infisync doctor
   infisync doctor --env prod --path /backend
   infisync doctor --format json`
	case "init":
		return `

Examples:
   infisync init                           ask, and write .infisync.yaml here
   infisync init --env dev --path /backend --yes
   infisync init --from dev:/shared --from dev:/app --yes`
	case "graph":
		return `

Examples:
   infisync graph --type secret
   infisync graph --relation belongs_to --target PROJECT-ID
   infisync graph --format dot | dot -Tsvg > secrets.svg`
	case "completion":
		return `bash|zsh|fish

Examples:
   source <(infisync completion bash)           in ~/.bashrc
   source <(infisync completion zsh)            in ~/.zshrc, behind compinit
   infisync completion fish | source            in ~/.config/fish/config.fish`
	case "man":
		return `

Examples:
   infisync man | man -l -
   infisync man > /usr/local/share/man/man1/infisync.1
   infisync man | groff -man -Tpdf > infisync.pdf`
	case "version":
		return `

Examples:
   infisync version
   infisync version --format json
   infisync version --format json | jq -r .revision`
	}
	return ""
}
