module @cross_entropy_at_once attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x5xf32>, %arg1: tensor<9x5xf32>, %arg2: tensor<6xi32>, %arg3: tensor<f32>) -> (tensor<f32>) {
    %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<6x5xf32>, tensor<9x5xf32>) -> tensor<6x9xf32>
    %1 = stablehlo.iota dim = 1 : tensor<6x9xi32>
    %2 = stablehlo.broadcast_in_dim %arg2, dims = [0] : (tensor<6xi32>) -> tensor<6x9xi32>
    %3 = stablehlo.compare EQ, %2, %1, SIGNED : (tensor<6x9xi32>, tensor<6x9xi32>) -> tensor<6x9xi1>
    %4 = stablehlo.convert %3 : (tensor<6x9xi1>) -> tensor<6x9xf32>
    %5 = stablehlo.constant dense<0> : tensor<i32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<i32>) -> tensor<6xi32>
    %7 = stablehlo.compare GE, %arg2, %6, SIGNED : (tensor<6xi32>, tensor<6xi32>) -> tensor<6xi1>
    %8 = stablehlo.convert %7 : (tensor<6xi1>) -> tensor<6xf32>
    %9 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %10 = stablehlo.reduce(%0 init: %9) applies stablehlo.maximum across dimensions = [1] : (tensor<6x9xf32>, tensor<f32>) -> tensor<6xf32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [0] : (tensor<6xf32>) -> tensor<6x9xf32>
    %12 = stablehlo.subtract %0, %11 : tensor<6x9xf32>
    %13 = stablehlo.exponential %12 : tensor<6x9xf32>
    %14 = stablehlo.constant dense<0.0> : tensor<f32>
    %15 = stablehlo.reduce(%13 init: %14) applies stablehlo.add across dimensions = [1] : (tensor<6x9xf32>, tensor<f32>) -> tensor<6xf32>
    %16 = stablehlo.log %15 : tensor<6xf32>
    %17 = stablehlo.add %16, %10 : tensor<6xf32>
    %18 = stablehlo.multiply %17, %8 : tensor<6xf32>
    %19 = stablehlo.multiply %0, %4 : tensor<6x9xf32>
    %20 = stablehlo.constant dense<0.0> : tensor<f32>
    %21 = stablehlo.reduce(%19 init: %20) applies stablehlo.add across dimensions = [1] : (tensor<6x9xf32>, tensor<f32>) -> tensor<6xf32>
    %22 = stablehlo.subtract %18, %21 : tensor<6xf32>
    %23 = stablehlo.constant dense<0.0> : tensor<f32>
    %24 = stablehlo.reduce(%22 init: %23) applies stablehlo.add across dimensions = [0] : (tensor<6xf32>, tensor<f32>) -> tensor<f32>
    %25 = stablehlo.multiply %24, %arg3 : tensor<f32>
    %26 = stablehlo.broadcast_in_dim %17, dims = [0] : (tensor<6xf32>) -> tensor<6x9xf32>
    %27 = stablehlo.subtract %0, %26 : tensor<6x9xf32>
    %28 = stablehlo.exponential %27 : tensor<6x9xf32>
    %29 = stablehlo.broadcast_in_dim %8, dims = [0] : (tensor<6xf32>) -> tensor<6x9xf32>
    %30 = stablehlo.multiply %28, %29 : tensor<6x9xf32>
    %31 = stablehlo.subtract %30, %4 : tensor<6x9xf32>
    %32 = stablehlo.broadcast_in_dim %arg3, dims = [] : (tensor<f32>) -> tensor<6x9xf32>
    %33 = stablehlo.multiply %31, %32 : tensor<6x9xf32>
    %34 = stablehlo.dot_general %33, %arg1, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<6x9xf32>, tensor<9x5xf32>) -> tensor<6x5xf32>
    %35 = stablehlo.dot_general %33, %arg0, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<6x9xf32>, tensor<6x5xf32>) -> tensor<9x5xf32>
    %36 = stablehlo.constant dense<0.0> : tensor<f32>
    %37 = stablehlo.reduce(%34 init: %36) applies stablehlo.add across dimensions = [1, 0] : (tensor<6x5xf32>, tensor<f32>) -> tensor<f32>
    %38 = stablehlo.constant dense<0.0> : tensor<f32>
    %39 = stablehlo.reduce(%35 init: %38) applies stablehlo.add across dimensions = [1, 0] : (tensor<9x5xf32>, tensor<f32>) -> tensor<f32>
    %40 = stablehlo.add %37, %39 : tensor<f32>
    %41 = stablehlo.add %40, %25 : tensor<f32>
    return %41 : tensor<f32>
  }
}
