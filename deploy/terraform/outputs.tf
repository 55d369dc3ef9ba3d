output "outputs" {
  description = "All outputs of the stack, such as CdnUrl and OperatorTokenArn"
  value       = aws_cloudformation_stack.image_handler.outputs
}

output "cdn_url" {
  description = "Base URL of all images, unless the stack is attached to a distribution of your own"
  value       = lookup(aws_cloudformation_stack.image_handler.outputs, "CdnUrl", null)
}

output "stack_id" {
  description = "ARN of the stack"
  value       = aws_cloudformation_stack.image_handler.id
}
