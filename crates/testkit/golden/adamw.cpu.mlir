module @adamw attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<37xf32>, %arg1: tensor<37xf32>, %arg2: tensor<37xf32>, %arg3: tensor<37xf32>, %arg4: tensor<8xf32>, %arg5: tensor<i32>) -> (tensor<111xf32>) {
    %0:3 = stablehlo.custom_call @collegium.adamw(%arg0, %arg1, %arg2, %arg3, %arg4, %arg5) {api_version = 4 : i32, backend_config = {}, output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [0], operand_index = 0, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [1], operand_index = 1, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [2], operand_index = 2, operand_tuple_indices = []>]} : (tensor<37xf32>, tensor<37xf32>, tensor<37xf32>, tensor<37xf32>, tensor<8xf32>, tensor<i32>) -> (tensor<37xf32>, tensor<37xf32>, tensor<37xf32>)
    %1 = stablehlo.concatenate %0#0, %0#1, %0#2, dim = 0 : (tensor<37xf32>, tensor<37xf32>, tensor<37xf32>) -> tensor<111xf32>
    return %1 : tensor<111xf32>
  }
}
