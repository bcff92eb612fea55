module @paged_step_values attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x60xf32>, %arg1: tensor<5x3xf32>, %arg2: tensor<5x3xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<6xf32>, %arg8: tensor<6xf32>, %arg9: tensor<6x2x6x16xf32>, %arg10: tensor<6x2x16x6xf32>) -> (tensor<6x2x16x6xf32>) {
    %0:3 = stablehlo.custom_call @collegium.paged_step(%arg9, %arg10, %arg0, %arg1, %arg2, %arg3, %arg4, %arg5, %arg6, %arg7, %arg8) {api_version = 4 : i32, backend_config = {eps_bits = 925353388 : i64, window = 0 : i64}, output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [0], operand_index = 0, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [1], operand_index = 1, operand_tuple_indices = []>]} : (tensor<6x2x6x16xf32>, tensor<6x2x16x6xf32>, tensor<5x60xf32>, tensor<5x3xf32>, tensor<5x3xf32>, tensor<2x3xi32>, tensor<5xi32>, tensor<5xi32>, tensor<5xi32>, tensor<6xf32>, tensor<6xf32>) -> (tensor<6x2x6x16xf32>, tensor<6x2x16x6xf32>, tensor<5x36xf32>)
    return %0#1 : tensor<6x2x16x6xf32>
  }
}
