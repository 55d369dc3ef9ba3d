#!/usr/bin/env bash
# The commands behind make image, make deploy and make destroy. They use the account and the region of the AWS CLI.
set -euo pipefail
cd "$(dirname "$0")/.."

TEMPLATE=template/serverless-image-handler-template.yaml
LARGEST_INLINE=51200 # bytes of a template that CloudFormation accepts without S3
REPOSITORY=${REPOSITORY:-image-handler}
# Each image takes about 0.3 GB. A stack must not run one that is no longer among the latest.
KEEP_LATEST='{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 30}, "action": {"type": "expire"}}]}'
BASE_IMAGE=${BASE_IMAGE:-$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)}

fail() { echo "$*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || fail "$1 is needed: $2"; }

architecture() {
  case ${ARCHITECTURE:-$(uname -m)} in
    arm64 | aarch64) echo arm64 ;;
    x86_64 | amd64) echo x86_64 ;;
    *) fail "ARCHITECTURE must be arm64 or x86_64, got ${ARCHITECTURE:-$(uname -m)}" ;;
  esac
}

region() {
  local found=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
  [ -n "$found" ] || fail "a region is needed: aws configure, or AWS_REGION=eu-central-1"
  echo "$found"
}

account() { aws sts get-caller-identity --query Account --output text; }

# Print the base image of a platform with its digest. All stages of the build use it, and a label names it.
pinned_base() {
  set -e
  local found
  case $BASE_IMAGE in *@sha256:*) echo "$BASE_IMAGE" && return ;; esac
  docker pull --quiet --platform "$1" "$BASE_IMAGE" >&2
  found=$(docker image inspect --format '{{index .RepoDigests 0}}' "$BASE_IMAGE")
  case $found in *@sha256:*) echo "$found" ;; *) fail "the digest of $BASE_IMAGE is not known: got '$found'" ;; esac
}

# Build the image for a platform, under a name.
build() {
  set -e
  local base
  base=$(pinned_base "$1")
  echo "The base image is $base" >&2
  # Lambda accepts a plain image only, not an image index with attestations.
  BUILDX_NO_DEFAULT_ATTESTATIONS=1 docker build --platform "$1" --tag "$2" --build-arg "BASE_IMAGE=$base" \
    --label "org.opencontainers.image.base.name=$BASE_IMAGE" --label "org.opencontainers.image.base.digest=${base##*@}" . >&2
}

# Build the image, or copy PUBLIC_IMAGE, push it to the registry of the account, and print its address with the digest.
image() {
  set -e # bash does not inherit it inside $(…)
  need docker https://docs.docker.com/get-docker/
  local arch platform account region registry tag digest
  arch=$(architecture)
  platform=linux/$([ "$arch" = arm64 ] && echo arm64 || echo amd64)
  account=$(account)
  region=$(region)
  registry=$account.dkr.ecr.$region.amazonaws.com
  tag=$(git describe --always --dirty 2>/dev/null || echo local)-$arch
  if ! aws ecr describe-repositories --repository-names "$REPOSITORY" >/dev/null 2>&1; then
    aws ecr create-repository --repository-name "$REPOSITORY" --image-scanning-configuration scanOnPush=true >/dev/null
    aws ecr put-lifecycle-policy --repository-name "$REPOSITORY" --lifecycle-policy-text "$KEEP_LATEST" >/dev/null
  fi
  aws ecr get-login-password | docker login --username AWS --password-stdin "$registry" >&2
  if [ -n "${PUBLIC_IMAGE:-}" ]; then
    # One platform of it: Lambda accepts no image index.
    docker pull --quiet --platform "$platform" "$PUBLIC_IMAGE" >&2
    docker tag "$PUBLIC_IMAGE" "$registry/$REPOSITORY:$tag" >&2
  else
    build "$platform" "$registry/$REPOSITORY:$tag"
  fi
  docker push "$registry/$REPOSITORY:$tag" >&2
  digest=$(aws ecr describe-images --repository-name "$REPOSITORY" --image-ids "imageTag=$tag" \
    --query 'imageDetails[0].imageDigest' --output text)
  echo "$registry/$REPOSITORY@$digest"
}

templates() {
  set -e
  local account region
  account=$(account)
  region=$(region)
  echo "${TEMPLATE_BUCKET:-image-handler-templates-$account-$region}"
}

# Returns the bucket for templates that are too large to be sent inline. Creates it if it does not exist.
template_bucket() {
  set -e
  local bucket
  bucket=$(templates)
  aws s3api head-bucket --bucket "$bucket" >/dev/null 2>&1 || aws s3 mb "s3://$bucket" >&2
  echo "$bucket"
}

# Print a part of what CloudFormation knows of the stack; nothing if there is no stack.
stack_field() {
  set -e # see image
  local errors
  errors=$(mktemp)
  if ! aws cloudformation describe-stacks --stack-name "$STACK" --query "Stacks[0].$1" --output text 2>"$errors"; then
    grep -q 'does not exist' "$errors" || { cat "$errors" >&2; return 1; }
  fi
  rm "$errors"
}

# Print the resources in a state, such as UPDATE_FAILED, on one line.
resources_in() {
  aws cloudformation describe-stack-resources --stack-name "$STACK" --output text \
    --query "StackResources[?ResourceStatus=='$1'].LogicalResourceId" | xargs
}

# Whether the buckets of a new stack are named: by SOURCE_BUCKETS, in PARAMETERS_FILE or by an argument.
names_sources() {
  [ -n "${SOURCE_BUCKETS:-}" ] || printf '%s\n' "$@" | cat - "${PARAMETERS_FILE:-/dev/null}" | grep '^SourceBuckets=.' >/dev/null
}

# Stop if no deployment can begin in this state of the stack, the first argument. It is asked before an image is built.
refuse_state() {
  case $1 in
    '' | None) names_sources "${@:2}" || fail "a new stack needs SOURCE_BUCKETS=bucket,another" ;;
    ROLLBACK_COMPLETE | ROLLBACK_FAILED | CREATE_FAILED | REVIEW_IN_PROGRESS)
      names_sources "${@:2}" || fail "the stack $STACK was never created ($1), so it needs SOURCE_BUCKETS=bucket,another"
      ;;
    DELETE_FAILED)
      fail "the stack $STACK was deleted in part, and CloudFormation updates no such stack. Left are: $(resources_in DELETE_FAILED)." \
        "Its events say why. Run make destroy STACK=$STACK again, or deploy under another name."
      ;;
    *_IN_PROGRESS) fail "the stack $STACK is busy ($1): wait until that is complete, then deploy again" ;;
  esac
}

# Bring a stack whose last creation or update failed into a state that CloudFormation updates.
repair_state() {
  case $1 in
    ROLLBACK_COMPLETE | ROLLBACK_FAILED | CREATE_FAILED)
      echo "The creation of the stack $STACK has failed before ($1). It is deleted first, for there is nothing in it." >&2
      aws cloudformation delete-stack --stack-name "$STACK"
      aws cloudformation wait stack-delete-complete --stack-name "$STACK"
      ;;
    UPDATE_FAILED)
      echo "The last update of the stack $STACK has failed and was not taken back ($1). That is done first." >&2
      aws cloudformation rollback-stack --stack-name "$STACK" >/dev/null
      wait_for_rollback
      ;;
    UPDATE_ROLLBACK_FAILED)
      echo "The rollback of the stack $STACK has failed before ($1). It is continued first." >&2
      aws cloudformation continue-update-rollback --stack-name "$STACK"
      wait_for_rollback
      ;;
  esac
}

wait_for_rollback() {
  aws cloudformation wait stack-rollback-complete --stack-name "$STACK" && return
  fail "the rollback of the stack $STACK does not succeed, because of: $(resources_in UPDATE_FAILED). Its events say why." \
    "Mend that and deploy again; or leave them as they are: aws cloudformation continue-update-rollback" \
    "--stack-name $STACK --resources-to-skip $(resources_in UPDATE_FAILED)"
}

# Print why resources failed since the last operation began, the first cause first. Events come latest first.
explain_failure() {
  echo "The deployment of the stack $STACK has failed:" >&2
  aws cloudformation describe-stack-events --stack-name "$STACK" --max-items 200 --output text \
    --query 'StackEvents[].[LogicalResourceId,ResourceStatus,ResourceStatusReason]' |
    awk -F '\t' -v stack="$STACK" '
      $1 == stack && $2 ~ /^(CREATE|UPDATE)_IN_PROGRESS$/ { exit }
      $1 != stack && $2 ~ /_FAILED$/ && $3 !~ /cancelled/ { line[++n] = "  " $1 ": " $3 }
      END { for (i = n; i > 0; i--) print line[i] }' >&2
  exit 1
}

deploy() {
  local status former former_arch uri parameters line bucket options=()
  [ -z "${PARAMETERS_FILE:-}" ] || [ -r "$PARAMETERS_FILE" ] ||
    fail "PARAMETERS_FILE must be a file with lines Name=value, got $PARAMETERS_FILE"
  status=$(stack_field StackStatus)
  refuse_state "$status" "$@"
  former=$(stack_field "Parameters[?ParameterKey=='ImageUri'].ParameterValue | [0]")
  former_arch=$(stack_field "Parameters[?ParameterKey=='Architecture'].ParameterValue | [0]")
  uri=${IMAGE_URI:-$(image)}
  repair_state "$status"
  parameters=("ImageUri=$uri" "DeployedAt=$(date -u +%Y-%m-%dT%H:%M:%SZ)")
  # The caller alone knows the architecture of an image that was built elsewhere.
  [ -n "${IMAGE_URI:-}" ] && [ -z "${ARCHITECTURE:-}" ] || parameters+=("Architecture=$(architecture)")
  if [ -n "${PARAMETERS_FILE:-}" ]; then
    while IFS= read -r line || [ -n "$line" ]; do
      case $line in '' | '#'*) ;; *) parameters+=("$line") ;; esac
    done <"$PARAMETERS_FILE"
  fi
  [ -z "${SOURCE_BUCKETS:-}" ] || parameters+=("SourceBuckets=$SOURCE_BUCKETS")
  if (($(wc -c <"$TEMPLATE") > LARGEST_INLINE)); then
    bucket=$(template_bucket)
    options=(--s3-bucket "$bucket" --s3-prefix "$STACK")
  fi
  # Parameters that are not named here keep their values.
  aws cloudformation deploy --stack-name "$STACK" --template-file "$TEMPLATE" ${options[@]+"${options[@]}"} \
    --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset --parameter-overrides "${parameters[@]}" "$@" >&2 || explain_failure
  case $former in
    "$uri" | '' | None) ;;
    *) echo "To go back: make deploy STACK=$STACK IMAGE_URI=$former ARCHITECTURE=$former_arch" >&2 ;;
  esac
  aws cloudformation describe-stacks --stack-name "$STACK" --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' --output text
}

destroy() {
  local kept bucket tables table
  tables=$(aws cloudformation describe-stack-resources --stack-name "$STACK" --output text \
    --query "StackResources[?ResourceType=='AWS::DynamoDB::Table'].PhysicalResourceId")
  kept=$(aws cloudformation describe-stack-resources --stack-name "$STACK" --output text \
    --query "StackResources[?ResourceType=='AWS::S3::Bucket' && LogicalResourceId!='DemoBucket'].PhysicalResourceId")
  aws cloudformation delete-stack --stack-name "$STACK"
  aws cloudformation wait stack-delete-complete --stack-name "$STACK"
  echo "The stack $STACK is deleted. These remain, for you to keep or to delete:"
  for bucket in $kept; do echo "  aws s3 rb --force s3://$bucket"; done
  for table in $tables; do echo "  aws dynamodb delete-table --table-name $table"; done
  echo "  aws s3 rm --recursive s3://$(templates)/$STACK"
  echo "  aws ecr delete-repository --force --repository-name $REPOSITORY"
}

need aws "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
case ${1:-} in
  image) image ;;
  deploy | destroy)
    [ -n "${STACK:-}" ] || fail "STACK=name is needed: make $1 STACK=pictures"
    "$@"
    ;;
  *) fail "usage: deploy/aws.sh image | deploy [Parameter=value …] | destroy" ;;
esac
