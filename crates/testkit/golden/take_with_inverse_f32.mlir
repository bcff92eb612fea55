module @take_with_inverse_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x3xf32>, %arg1: tensor<7x3xf32>) -> (tensor<7x3xf32>, tensor<5x3xf32>) {
    %0 = stablehlo.constant dense<[0, 4, 4, 2, 0, 4, 3]> : tensor<7xi32>
    %1 = stablehlo.constant dense<[[0, 4, 0], [0, 0, 0], [3, 0, 0], [6, 0, 0], [1, 2, 5]]> : tensor<5x3xi32>
    %2 = stablehlo.constant dense<[[true, true, false], [false, false, false], [true, false, false], [true, false, false], [true, true, true]]> : tensor<5x3xi1>
    %3 = "stablehlo.gather"(%arg0, %0) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 3>}> : (tensor<5x3xf32>, tensor<7xi32>) -> tensor<7x3xf32>
    %4 = "stablehlo.gather"(%arg1, %1) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 3>}> : (tensor<7x3xf32>, tensor<5x3xi32>) -> tensor<5x3x3xf32>
    %5 = stablehlo.constant dense<0.0> : tensor<5x3x3xf32>
    %6 = stablehlo.broadcast_in_dim %2, dims = [0, 1] : (tensor<5x3xi1>) -> tensor<5x3x3xi1>
    %7 = stablehlo.select %6, %4, %5 : tensor<5x3x3xi1>, tensor<5x3x3xf32>
    %8 = stablehlo.constant dense<0.0> : tensor<f32>
    %9 = stablehlo.reduce(%7 init: %8) applies stablehlo.add across dimensions = [1] : (tensor<5x3x3xf32>, tensor<f32>) -> tensor<5x3xf32>
    return %3, %9 : tensor<7x3xf32>, tensor<5x3xf32>
  }
}
